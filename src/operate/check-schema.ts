import type { Database } from '../database'
import { SchemaError } from '../errors'
import { outboxFunctions } from '../functions'
import type { DatabaseFunction } from '../planned'

/** What the engine cannot do without: unique where two of a kind would break a promise, partial where speed rests on it. */
const NEEDED = [
  'outbox_message_pkey',
  'outbox_message_pending_by_source',
  'outbox_message_settled_for_prune',
  'outbox_batch_open_by_source',
  'outbox_batch_settled_for_prune',
  'segment_source_one_active_per_portal',
]

/** Throws SchemaError where the migrations have not run, or an index (TypeORM's `synchronize` drops them) or the function is gone. */
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
  const wrong = await findFunctionFault(db)
  if (wrong !== undefined) throw new SchemaError(`${wrong.found}.`, wrong.why, wrong.remedy)
}

interface Fault {
  found: string
  why: string
  remedy: string
}

/** What keeps one of the outbox's functions from doing what this version means it to; undefined where nothing does. */
export async function findFunctionFault(db: Database): Promise<Fault | undefined> {
  for (const each of outboxFunctions(db.tables)) {
    const fault = await faultOf(db, each)
    if (fault !== undefined) return fault
  }
  return undefined
}

async function faultOf(db: Database, { signature, body, why }: DatabaseFunction): Promise<Fault | undefined> {
  const [made] = await db.query<{ body: string; executable: boolean }>(
    `SELECT prosrc AS body, has_function_privilege(oid, 'EXECUTE') AS executable
     FROM pg_proc WHERE oid = to_regprocedure($1)`,
    [signature],
  )
  const again = 'Create it again as the migration create-outbox does'
  if (made === undefined) {
    return {
      found: `The function ${signature} is missing`,
      why,
      remedy: `${again}; were only tables restored?`,
    }
  }
  if (!made.executable) {
    return {
      found: `The function ${signature} may not be called by this role`,
      why,
      remedy: `GRANT EXECUTE ON FUNCTION ${signature} to it, or to PUBLIC, as PostgreSQL does by default.`,
    }
  }
  if (made.body !== body) {
    return {
      found: `The function ${signature} is not this version’s`,
      why: 'It would go by other rules than the rest of this version.',
      remedy: `Run the migrations (\`npx typeorm migration:run\`). Was it changed by hand? ${again}.`,
    }
  }
  return undefined
}
