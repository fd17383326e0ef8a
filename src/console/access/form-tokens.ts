import { createHmac, timingSafeEqual } from 'node:crypto'

/** A form that was opened in the morning can still be sent in the evening. */
const VALID_MS = 12 * 3_600_000

/**
 * Marks the console's own forms: a token that only this application can make, for one person, for a time. Another
 * site can make a browser post a form, but cannot read a token to put in it. Nothing is stored, and the keys come from
 * the secret keys, so that a form of one process is good in all of them.
 */
export class FormTokens {
  readonly #keys: readonly Buffer[]

  /** @param keys the first one marks, all of them are accepted: secret keys rotate process by process */
  constructor(keys: readonly Buffer[]) {
    this.#keys = keys
  }

  issue(actor: string): string {
    const issuedAt = Date.now().toString(36)
    return `${issuedAt}.${mark(this.#keys[0] as Buffer, actor, issuedAt)}`
  }

  accepts(token: string, actor: string): boolean {
    const [issuedAt = '', given = ''] = token.split('.')
    const ageMs = Date.now() - Number.parseInt(issuedAt, 36)
    // Clocks of two machines differ; a token may seem to come from the near future.
    if (!(ageMs < VALID_MS && ageMs > -VALID_MS)) return false
    return this.#keys.some((key) => same(mark(key, actor, issuedAt), given))
  }
}

function mark(key: Buffer, actor: string, issuedAt: string): string {
  return createHmac('sha256', key)
    .update(JSON.stringify([actor, issuedAt]))
    .digest('base64url')
}

function same(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)]
  return x.length === y.length && timingSafeEqual(x, y)
}
