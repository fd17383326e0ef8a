import type { Database } from '../../database'
import { findFunctionFault } from '../check-schema'
import { type Check, ok, problem } from './check'
import { INDEXES, TABLES } from './expected-schema'

interface State {
  columns: string[]
  indexes: { name: string; valid: boolean }[]
}

const tableSql = `
SELECT coalesce((SELECT array_agg(a.attname::text) FROM pg_attribute a
                 WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped), '{}') AS columns,
       coalesce((SELECT jsonb_agg(jsonb_build_object('name', i.relname, 'valid', x.indisvalid))
                 FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
                 WHERE x.indrelid = to_regclass($1)), '[]') AS indexes`

const constraintsSql = `
SELECT c.conname AS name FROM pg_constraint c
WHERE c.conrelid = ANY (SELECT to_regclass(t)::oid FROM unnest($1::text[]) t) AND (c.contype <> 'c' OR c.convalidated)`

/** Whether the tables are what the migration makes. */
export const schema: Check = {
  name: 'schema',
  async look({ db }) {
    const states = await readAll(db)
    const gone = Object.keys(states).filter((table) => states[table]?.columns.length === 0)
    if (gone.length > 0) {
      return problem(
        `${gone.join(', ')} ${gone.length === 1 ? 'is' : 'are'} not in this database.`,
        'Nothing can be recorded or sent, or seen.',
        'Run the migrations: `npx typeorm migration:run`, or `synap-outbox migrate`.',
      )
    }
    const fault = await findFunctionFault(db)
    if (fault !== undefined) return problem(`${fault.found}.`, fault.why, fault.remedy)
    const drift = [...(await drifted(db, states))]
    if (drift.length === 0)
      return ok('Tables, columns, constraints, indexes and functions are as the migration makes them.')
    return problem(
      `The schema is not as the migration makes it: ${drift.join('; ')}.`,
      'Without an index the drain slows down with each delivered row; without a constraint a message may be doubled or lost.',
      'Was `synchronize` run, or an older version of the migration? Switch it off, and create what is missing as the migration create-outbox does (`CREATE INDEX CONCURRENTLY` for indexes).',
    )
  },
}

async function readAll(db: Database): Promise<Record<string, State>> {
  const states: Record<string, State> = {}
  for (const table of Object.keys(TABLES) as (keyof typeof TABLES)[]) {
    const [state] = await db.query<State>(tableSql, [db.tables[table]])
    states[`outbox table ${db.tables[table]}`] = state as State
  }
  return states
}

async function drifted(db: Database, states: Record<string, State>): Promise<string[]> {
  const keys = Object.keys(TABLES) as (keyof typeof TABLES)[]
  const relations = keys.map((key) => db.tables[key])
  const named = await db.query<{ name: string }>(constraintsSql, [relations])
  const constraints = new Set(named.map(({ name }) => name))
  const all = Object.values(states)
  const indexes = new Map(all.flatMap((state) => state.indexes).map(({ name, valid }) => [name, valid]))
  return [
    ...keys.flatMap((key, i) => {
      const missing = TABLES[key].columns.filter((column) => !all[i]?.columns.includes(column))
      return missing.map((column) => `the column ${db.tables[key]}.${column} is missing`)
    }),
    ...keys.flatMap((key) =>
      TABLES[key].constraints
        .filter((name) => !constraints.has(name))
        .map((name) => `the constraint ${name} is missing`),
    ),
    ...INDEXES.filter((name) => indexes.get(name) !== true).map(
      (name) => `the index ${name} is ${indexes.has(name) ? 'invalid' : 'missing'}`,
    ),
  ]
}
