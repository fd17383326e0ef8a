import type { Tables } from './tables'

/** A function of the database that belongs to the outbox. */
export interface DatabaseFunction {
  /** As `to_regprocedure` takes it. */
  readonly signature: string
  readonly create: string
  readonly body: string
  /** What cannot be done without it. */
  readonly why: string
}

/** A statement of the engine that the database keeps the plan of. */
export interface Planned extends DatabaseFunction {
  readonly name: string
  readonly parameters: readonly string[]
  readonly statement: string
  /** What to send, with the parameters. */
  readonly call: string
}

/**
 * A statement of the engine as a function of the database, since that keeps its plan for the session, also behind a
 * PgBouncer in transaction mode, where named prepared statements cannot be relied on. Measured on PostgreSQL 18: taking
 * leases, forming and settling a batch of five messages took 1.5, 1.5 and 2.0 ms of the server's CPU, and as functions
 * 0.2, 0.3 and 0.4; the rest was parsing and planning.
 *
 * The plan is made for any parameters, once: what the planner would make of some of them is as good or worse (shown by
 * test/plans). As in every function, `now()` is the transaction's, and each call is one.
 *
 * It runs with the rights and, where no schema is configured, on the search path of its caller. What the migration
 * created is compared with this version's text at each start: a change needs a migration that creates it again.
 *
 * @param name qualified
 * @param parameters types of `$1` and on
 * @param columns what the statement answers with, in its order
 */
export function planned(
  name: string,
  parameters: readonly string[],
  columns: readonly string[],
  statement: string,
): Planned {
  const body = `
#variable_conflict use_column
BEGIN
  RETURN QUERY ${statement.trim()};
END`
  const signature = `${name}(${parameters.join(', ')})`
  return {
    name,
    parameters,
    statement,
    signature,
    body,
    why: 'Messages are recorded, and nothing is sent.',
    call: `SELECT * FROM ${name}(${parameters.map((_, i) => `$${i + 1}`).join(', ')})`,
    create: `
CREATE FUNCTION ${signature} RETURNS TABLE (${columns.join(', ')})
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $planned$${body}$planned$`,
  }
}

/** Made once for each outbox, and not once for each batch: the texts are long. */
export function oncePerTables(make: (t: Tables) => Planned): (t: Tables) => Planned {
  const made = new WeakMap<Tables, Planned>()
  return (t) => {
    const known = made.get(t) ?? make(t)
    made.set(t, known)
    return known
  }
}
