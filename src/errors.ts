/** Codes of every error this module throws on purpose. Stable: alerts and tests may match on them. */
export type OutboxErrorCode =
  | 'OUTBOX_OPTIONS_INVALID'
  | 'OUTBOX_PLAN_INVALID'
  | 'OUTBOX_NO_TRANSACTION'
  | 'OUTBOX_INVALID_CALL'
  | 'OUTBOX_SCHEMA_UNSAFE'
  | 'OUTBOX_SECRET_KEY'
  | 'OUTBOX_SOURCE'
  | 'OUTBOX_LEASE_LOST'
  | 'OUTBOX_OPERATION'
  | 'OUTBOX_TRANSACTION_LOST'
  | 'OUTBOX_WAREHOUSE'

/** Base of all errors of this module: what happened, why it matters, what to do, in that order. */
export class OutboxError extends Error {
  readonly code: OutboxErrorCode
  readonly #parts: readonly [happened: string, matters: string, remedy: string]

  constructor(code: OutboxErrorCode, happened: string, matters: string, remedy: string, cause?: unknown) {
    super(`${happened} ${matters} ${remedy}`, cause === undefined ? undefined : { cause })
    this.name = new.target.name
    this.code = code
    this.#parts = [happened, matters, remedy]
  }

  /** The message in its parts, for who shows them apart. A getter: a log of the error holds them once. */
  get parts(): readonly [happened: string, matters: string, remedy: string] {
    return this.#parts
  }
}

/** An option of `createOutbox` is unknown, out of bounds, or contradicts another. Thrown at construction. */
export class OptionsError extends OutboxError {
  constructor(happened: string, matters: string, remedy: string, cause?: unknown) {
    super('OUTBOX_OPTIONS_INVALID', happened, matters, remedy, cause)
  }
}

/** A tracking plan cannot be kept as written. Thrown by `definePlan`. */
export class PlanError extends OutboxError {
  constructor(happened: string, matters: string, remedy: string, cause?: unknown) {
    super('OUTBOX_PLAN_INVALID', happened, matters, remedy, cause)
  }
}

/** A call was recorded through a manager that has no open transaction. Always thrown, never diverted. */
export class NoTransactionError extends OutboxError {
  constructor(happened: string) {
    super(
      'OUTBOX_NO_TRANSACTION',
      happened,
      'The message would be kept even if the business change were rolled back, or lost while the change stays.',
      'Record inside `dataSource.transaction(async (tx) => { … })`, pass that `tx`, and await the call before the transaction ends.',
    )
  }
}

/** The connection ended under the transaction that a call was recorded in. Always thrown, as a query of its own would. */
export class TransactionLostError extends OutboxError {
  constructor() {
    super(
      'OUTBOX_TRANSACTION_LOST',
      'The connection of the transaction that a message was recorded in was terminated or lost.',
      'The database rolls such a transaction back: the business change and its messages are gone together.',
      'Run the whole transaction again. If the code released the query runner itself: commit first, then release.',
    )
  }
}

/** A call cannot be sent to Segment as it is. Thrown only with `invalid: 'throw'`; diverted otherwise. */
export class InvalidCallError extends OutboxError {
  readonly problems: readonly string[]

  constructor(call: string, problems: readonly string[]) {
    super(
      'OUTBOX_INVALID_CALL',
      `${call} cannot be sent: ${problems.join('; ')}.`,
      'With `invalid: "throw"` this fails the business transaction.',
      'Correct the call, or use the default `invalid: "divert"`, which stores it dead with this reason.',
    )
    this.problems = problems
  }
}

/** The database is not fit for the outbox: tables or indexes are missing, or `synchronize` is on. */
export class SchemaError extends OutboxError {
  constructor(happened: string, matters: string, remedy: string, cause?: unknown) {
    super('OUTBOX_SCHEMA_UNSAFE', happened, matters, remedy, cause)
  }
}

/** A secret key is malformed, or the one a stored write key was encrypted with is missing. */
export class SecretKeyError extends OutboxError {
  constructor(happened: string, matters: string, remedy: string, cause?: unknown) {
    super('OUTBOX_SECRET_KEY', happened, matters, remedy, cause)
  }
}

/**
 * What is wrong with a source's settings, for pages with words of their own: the write key cannot be one, or Segment
 * does not know it; the portal has an active source already; there is no such source; the call itself is wrong.
 */
export type SourceProblem =
  | 'malformed-key'
  | 'unknown-key'
  | 'connected-already'
  | 'no-such-source'
  | 'misuse'

/** A source does not exist, exists already, or its settings are not acceptable. */
export class SourceError extends OutboxError {
  readonly problem: SourceProblem

  constructor(problem: SourceProblem, happened: string, matters: string, remedy: string, cause?: unknown) {
    super('OUTBOX_SOURCE', happened, matters, remedy, cause)
    this.problem = problem
  }
}

/** What an operator asked for cannot be done as asked. Nothing was changed, or what was is in the audit. */
export class OperationError extends OutboxError {
  constructor(happened: string, matters: string, remedy: string, cause?: unknown) {
    super('OUTBOX_OPERATION', happened, matters, remedy, cause)
  }
}

/** A portal's warehouse cannot be reached or read. No message was changed because of it. */
export class WarehouseError extends OutboxError {
  constructor(happened: string, matters: string, remedy: string, cause?: unknown) {
    super('OUTBOX_WAREHOUSE', happened, matters, remedy, cause)
  }
}

/** This process lost a source's lease, so it may settle nothing more for it. Another one carries on. */
export class LeaseLostError extends OutboxError {
  constructor(sourceId: string, token: string) {
    super(
      'OUTBOX_LEASE_LOST',
      `The lease ${token} of source ${sourceId} is held by another process now.`,
      'Nothing was settled: the new holder finds the open batch and settles it.',
      'No action is needed. If it happens often, the process is paused or starved for longer than `dispatcher.leaseMs`.',
    )
  }
}
