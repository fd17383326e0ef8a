import { createHash, randomBytes } from 'node:crypto'

/** A new bearer token: 256 random bits, which only the user ever has. */
export function newSessionToken(): string {
  return randomBytes(32).toString('base64url')
}

/** What the portal keeps of a token. A plain hash is enough: there is nothing to guess in 256 random bits. */
export function hashSessionToken(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
