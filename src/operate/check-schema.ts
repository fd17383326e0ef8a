import type { Database } from '../database'
import { SchemaError } from '../errors'

/** What the engine cannot do without: unique where two of a kind would break a promise, partial where speed rests on it. */
const NEEDED = [
  'outbox_message_pkey',
  'outbox_message_pending_by_source',
  'outbox_message_settled_for_prune',
  'outbox_batch_open_by_source',
  'outbox_batch_settled_for_prune',
  'segment_source_one_active_per_portal',
]

/** Throws SchemaError where the migrations have not run, or an index is gone (TypeORM's `synchronize` drops them). */
export async function checkSchema(db: Database): Promise<void> {
  const rows = await db.query<{ name: string }>(
    `SELECT i.relname AS name FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
     WHERE x.indisvalid AND x.indrelid IN (to_regclass($1), to_regclass($2), to_regclass($3))`,
    [db.tables.message, db.tables.batch, db.tables.source],
  )
  if (rows.length === 0) {
    throw new SchemaError(
      'The outbox’s tables are not in this database.',
      'Nothing could be recorded or sent.',
      'Add `outboxMigrations` to the DataSource’s migrations and run them (`npx typeorm migration:run`).',
    )
  }
  const [database] = await db.query<{ encoding: string }>(
    `SELECT current_setting('server_encoding') AS encoding`,
  )
  if (database?.encoding !== 'UTF8') {
    throw new SchemaError(
      `The database’s encoding is ${database?.encoding}, and not UTF8.`,
      'A name that it cannot store would fail the transaction that the event is recorded in.',
      'Move to a database that was created with ENCODING UTF8.',
    )
  }
  const missing = NEEDED.filter((name) => !rows.some((row) => row.name === name))
  if (missing.length > 0) {
    throw new SchemaError(
      `The outbox has lost ${missing.join(', ')}.`,
      'Without them messages could be doubled, or the drain slows down with each delivered row.',
      'Was `synchronize` run? Switch it off and recreate them as the migration create-outbox does.',
    )
  }
}
