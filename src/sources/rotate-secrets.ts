import type { Database } from '../database'
import { SecretKeyError } from '../errors'
import type { Tables } from '../tables'
import { auditedChange } from './audited-change'
import type { EncryptedWriteKey, WriteKeyCipher } from './write-key-cipher'

export interface RotationReport {
  /** Write keys that were encrypted again. */
  readonly rotated: number
  /** Write keys that the first secret key had encrypted already. */
  readonly current: number
  /** Write keys that a person replaced at that moment: they have the first secret key's encryption by that. */
  readonly replaced: number
  /** Sources whose write key does not decrypt: its secret key is missing, or is not the one it was saved with. */
  readonly missing: readonly {
    readonly sourceId: string
    readonly portalId: string
    readonly secretId: string
  }[]
}

interface Row extends EncryptedWriteKey {
  sourceId: string
  portalId: string
}

/** Write keys read by one statement. */
const CHUNK = 200
/** No source is before it. */
const FIRST = '00000000-0000-0000-0000-000000000000'

const readSql = (t: Tables) => `
SELECT source_id AS "sourceId", portal_id AS "portalId", write_key_ciphertext AS ciphertext,
       write_key_secret_id AS "secretId"
FROM ${t.source} WHERE source_id > $1 ORDER BY source_id LIMIT ${CHUNK}`

/**
 * Only where the ciphertext is still the one that was read: a key saved meanwhile must not be overwritten by the old one.
 * `write_key_version` stays, since it is the same key: a lease that was taken with it goes on.
 */
const writeSql = (t: Tables) => `
WITH changed AS (
  UPDATE ${t.source} SET write_key_ciphertext = $2, write_key_secret_id = $3
  WHERE source_id = $1 AND write_key_ciphertext = $4 RETURNING source_id
), ${auditedChange(t, 'rotate secret', { from: 'changed', actor: '$5', reason: '$6' })}
SELECT count(*)::int AS n FROM changed`

/** Encrypts all write keys with the current secret key, one row at a time. */
export async function rotateSecrets(
  db: Database,
  cipher: WriteKeyCipher,
  { actor, reason }: { actor: string | null; reason: string | null },
): Promise<RotationReport> {
  const [read, write] = [readSql(db.tables), writeSql(db.tables)]
  const missing: RotationReport['missing'][number][] = []
  let [rotated, current, replaced, after] = [0, 0, 0, FIRST]
  for (;;) {
    const rows = await db.query<Row>(read, [after])
    for (const { sourceId, portalId, ciphertext, secretId } of rows) {
      const writeKey = decrypted(cipher, sourceId, { ciphertext, secretId })
      if (writeKey === undefined) missing.push({ sourceId, portalId, secretId })
      else if (secretId === cipher.currentId) current++
      else {
        const next = cipher.encrypt(sourceId, writeKey)
        const given = [sourceId, next.ciphertext, next.secretId, ciphertext, actor, reason]
        const [row] = await db.query<{ n: number }>(write, given)
        if (row?.n === 1) rotated++
        else replaced++
      }
    }
    const last = rows.at(-1)
    if (last === undefined || rows.length < CHUNK) return { rotated, current, replaced, missing }
    after = last.sourceId
  }
}

function decrypted(cipher: WriteKeyCipher, sourceId: string, key: EncryptedWriteKey): string | undefined {
  try {
    return cipher.decrypt(sourceId, key)
  } catch (error) {
    if (error instanceof SecretKeyError) return undefined
    throw error
  }
}
