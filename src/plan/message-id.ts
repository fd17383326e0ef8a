import { hash } from 'node:crypto'
import type { NaturalKey } from './define-plan'

/**
 * A fact's name and natural key, as JSON: what its messageId is made of, together with its source. The database makes
 * the id in the recording statement itself, where the source is known, so no cache of sources can be stale
 * (`messageIdSql`).
 */
export function factText(event: string, key: NaturalKey): string {
  const parts = Array.isArray(key) ? key : [key]
  return JSON.stringify([event, ...parts.map(String)])
}

/**
 * The messageId of a fact: a name-based UUIDv8 over SHA-256 (RFC 9562, appendix B.2) with the source as its
 * namespace. The same fact of the same source always has the same id; two sources never share one.
 */
export function messageId(sourceId: string, event: string, key: NaturalKey): string {
  return messageIdOf(sourceId, factText(event, key))
}

/** `messageId`, of a fact that is known by its text. */
export function messageIdOf(sourceId: string, fact: string): string {
  const digest = hash('sha256', fact, 'hex')
  const hex = hash('sha256', Buffer.from(sourceId.replaceAll('-', '') + digest, 'hex'), 'hex')
  const variant = '89ab'.charAt(Number.parseInt(hex.charAt(16), 16) & 3) // the RFC's
  const [version, rest] = [`8${hex.slice(13, 16)}`, hex.slice(17, 20)]
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${version}-${variant}${rest}-${hex.slice(20, 32)}`
}

/** Bits of the id that say what it is, as `set_bit` counts them: version 8 (1000), and the RFC's variant (10). */
const FIXED_BITS = [
  [55, 1],
  [54, 0],
  [53, 0],
  [52, 0],
  [71, 1],
  [70, 0],
] as const

/**
 * `messageId` in SQL, built-in functions only (md5 is missing where FIPS is on, pgcrypto is often not installed), and
 * one expression that names the hash once: with a subselect for it, the statement has one more plan to start a row.
 */
export function messageIdSql(sourceId: string, fact: string): string {
  const digest = `sha256(convert_to(${fact}, 'UTF8'))`
  const bytes = `substr(sha256(uuid_send(${sourceId}) || ${digest}), 1, 16)`
  const marked = FIXED_BITS.reduce((marking, [bit, value]) => `set_bit(${marking}, ${bit}, ${value})`, bytes)
  return `encode(${marked}, 'hex')::uuid`
}
