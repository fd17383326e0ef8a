import { LeaseLostError } from '../errors'
import { rest } from '../rest'

/** First and longest pause between two tries, in milliseconds: PostgreSQL restarts or fails over in seconds. */
const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 1000

/** Classes of SQLSTATE that another try cannot mend: data exception, integrity violation, syntax or access rule. */
const HOPELESS = /^(22|23|42)/

/**
 * Runs a statement again, after a failure, until it succeeds, the lease could have ended, or `signal` aborts.
 *
 * For settling: what an answer has told must not be forgotten because the database is away for a moment. An accepted
 * batch would stay in doubt and go out once more, or, after a day without anyone sending it, be parked as uncertain.
 * The statement has to be safe to repeat: the first try may have been committed and only its answer lost.
 *
 * @param until when the lease may end, on the clock of `performance.now()`
 * @param failed told of each failure that is tried again
 */
export async function insist<Result>(
  statement: () => Promise<Result>,
  until: number,
  signal: AbortSignal,
  failed: (error: unknown) => void,
): Promise<Result> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    try {
      return await statement()
    } catch (error) {
      const hopeless = error instanceof LeaseLostError || HOPELESS.test(sqlState(error))
      if (hopeless || signal.aborted || performance.now() + pauseMs > until) throw error
      failed(error)
      // Stopping ends the pause and leaves one more try.
      await rest(pauseMs, signal)
    }
  }
}

function sqlState(error: unknown): string {
  return (error as { driverError?: { code?: string } } | undefined)?.driverError?.code ?? ''
}
