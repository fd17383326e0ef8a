import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'

const BLOCK_SIZE = 8
const PARALLELISM = 3
const KEY_BYTES = 32

/** `scrypt$<cost>$<salt>$<hash>`, with a salt of its own. Takes some 100 ms at the default cost, off the event loop. */
export async function hashPassword(password: string, cost: number): Promise<string> {
  const salt = randomBytes(16)
  return format(cost, salt, await derive(password, salt, cost))
}

/** Whether the password is the one that was hashed. Takes the same time for right and wrong ones. */
export async function verifyPassword(password: string, stored: string): Promise<boolean> {
  const [, cost, salt, hash] = stored.split('$')
  if (!cost || !salt || !hash) throw new Error('A stored password hash is malformed.')
  const expected = Buffer.from(hash, 'base64url')
  return timingSafeEqual(await derive(password, Buffer.from(salt, 'base64url'), Number(cost)), expected)
}

/** A hash that no password matches: verified for an unknown user, whose existence the answer's time would betray. */
export function decoyHash(cost: number): string {
  return format(cost, randomBytes(16), randomBytes(KEY_BYTES))
}

function format(cost: number, salt: Buffer, hash: Buffer): string {
  return `scrypt$${cost}$${salt.toString('base64url')}$${hash.toString('base64url')}`
}

function derive(password: string, salt: Buffer, cost: number): Promise<Buffer> {
  const N = 2 ** cost
  // Node refuses what may need more than 32 MiB unless it is told; scrypt needs 128·N·r bytes and a little more.
  const maxmem = 128 * BLOCK_SIZE * (N + PARALLELISM + 2)
  const options: ScryptOptions = { N, r: BLOCK_SIZE, p: PARALLELISM, maxmem }
  return new Promise((resolve, reject) => {
    // One password typed on two keyboards can be two sequences of code points: NFKC makes them one.
    scrypt(password.normalize('NFKC'), salt, KEY_BYTES, options, (error, key) =>
      error ? reject(error) : resolve(key),
    )
  })
}
