import { plural } from '../inspect/words'
import { type Check, ok, problem } from './check'

/** Whether this process can decrypt the write keys and the warehouses' addresses that are stored. */
export const secretKeys: Check = {
  name: 'secret-key-missing',
  async look({ db, secretIds }) {
    const { source, warehouse } = db.tables
    const rows = await db.query<{ secretId: string; writeKeys: number; addresses: number }>(
      `SELECT id AS "secretId", count(*) FILTER (WHERE key)::int AS "writeKeys",
              count(*) FILTER (WHERE NOT key)::int AS addresses
       FROM (
         SELECT write_key_secret_id AS id, true AS key FROM ${source} WHERE status <> 'disabled'
         UNION ALL
         SELECT w.url_secret_id, false FROM ${warehouse} w JOIN ${source} s USING (source_id) WHERE s.status <> 'disabled'
       ) used
       WHERE id <> ALL ($1::text[]) GROUP BY 1 ORDER BY 1`,
      [secretIds],
    )
    if (rows.length === 0)
      return ok('Every stored write key and warehouse address has its secret key in this process.')
    return rows.map(({ secretId, writeKeys, addresses }) => {
      const what = [
        writeKeys > 0 ? plural(writeKeys, 'stored write key') : '',
        addresses > 0 ? plural(addresses, 'warehouse address', 'warehouse addresses') : '',
      ].filter(Boolean)
      return problem(
        `The secret key "${secretId}" is missing here, and ${what.join(' and ')} ${writeKeys + addresses === 1 ? 'was' : 'were'} encrypted with it.`,
        writeKeys > 0
          ? 'Nothing can be sent for these portals.'
          : 'These warehouses cannot be compared with.',
        `Add "${secretId}:…" back to OUTBOX_SECRET_KEYS, behind the current key. To be rid of it, rotate first: \`synap-outbox sources rotate-secrets\`.`,
      )
    })
  },
}
