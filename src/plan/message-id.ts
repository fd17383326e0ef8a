import { createHash } from 'node:crypto'
import type { NaturalKey } from './define-plan'

/**
 * SHA-256 of a fact's name and natural key, as 64 hex digits: the part of its messageId that is known before the
 * source is. The database appends the source and finishes the id in the recording statement itself, so no cache of
 * sources can be stale (`messageIdSql`).
 */
export function factDigest(event: string, key: NaturalKey): string {
  const parts = Array.isArray(key) ? key : [key]
  return createHash('sha256')
    .update(JSON.stringify([event, ...parts.map(String)]))
    .digest('hex')
}

/**
 * The messageId of a fact: a name-based UUIDv8 over SHA-256 (RFC 9562, appendix B.2) with the source as its
 * namespace. The same fact of the same source always has the same id; two sources never share one.
 */
export function messageId(sourceId: string, event: string, key: NaturalKey): string {
  const hash = createHash('sha256')
    .update(Buffer.from(sourceId.replaceAll('-', ''), 'hex'))
    .update(Buffer.from(factDigest(event, key), 'hex'))
    .digest()
  hash.writeUInt8(((hash[6] ?? 0) & 0x0f) | 0x80, 6) // version 8
  hash.writeUInt8(((hash[8] ?? 0) & 0x3f) | 0x80, 8) // the RFC's variant
  const hex = hash.toString('hex', 0, 16)
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

/** `messageId` in SQL, built-in functions only (md5 is missing where FIPS is on, pgcrypto is often not installed). */
export function messageIdSql(sourceId: string, digest: string): string {
  const hash = `sha256(uuid_send(${sourceId}) || decode(${digest}, 'hex'))`
  return `(SELECT (left(h.hex, 12) || '8' || substr(h.hex, 14, 3)
                   || substr('89ab', (get_byte(decode(h.hex, 'hex'), 8) >> 4 & 3) + 1, 1) || substr(h.hex, 18, 15))::uuid
           FROM (SELECT encode(${hash}, 'hex') AS hex) h)`
}
