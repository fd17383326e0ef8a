import { ApplicationRequests } from '../application-requests'
import { rest } from '../rest'

/** For how long after an HTTP request, or a commit for another source, there is somebody to give way to, in milliseconds. */
const RECENT_MS = 100

/** Messages in one request meanwhile: settling one keeps a core of the database busy for 60 µs, in one go. */
const MESSAGES = 100

/**
 * The exam comes first (I10), and the quiet portal before the flooded one (I9). While this process answers HTTP requests,
 * or commits for other sources, a source with a backlog keeps one core busy at a time instead of two, sends smaller
 * batches, and rests after each. What goes out in a request or less is never held up.
 *
 * Measured with two cores for all of it, the database included (benchmark `app.p99`): the 99th percentile of the
 * application's own requests was five times that of a quiet process at full speed, about twice without reading ahead, and
 * 1.3 to 1.7 times with smaller batches and rests of four times a batch's statements.
 */
export class GivingWay {
  readonly #requests = new ApplicationRequests()
  #lastCommit = { sourceId: '', at: -Infinity }
  /** Of the last commit for another source than that. */
  #otherCommitAt = -Infinity
  #resting = 0

  /** @param factor how many times as long as its statements took a source rests; 0 to give way to nobody */
  constructor(private readonly factor: number) {}

  begin(): void {
    this.#requests.begin()
  }

  end(): void {
    this.#requests.end()
  }

  /** Something was committed for these sources. */
  committed(sourceIds: readonly string[]): void {
    const at = performance.now()
    for (const sourceId of sourceIds) {
      if (sourceId !== this.#lastCommit.sourceId) this.#otherCommitAt = this.#lastCommit.at
      this.#lastCommit = { sourceId, at }
    }
  }

  /** Whether there is somebody that this source has to give way to. */
  isDue(sourceId: string): boolean {
    const { lastAt } = this.#requests
    const commitAt = this.#lastCommit.sourceId === sourceId ? this.#otherCommitAt : this.#lastCommit.at
    return this.factor > 0 && performance.now() - Math.max(lastAt, commitAt) < RECENT_MS
  }

  /** How many messages its next batch may have, of so many at most. */
  messages(sourceId: string, most: number): number {
    return this.isDue(sourceId) ? Math.min(MESSAGES, most) : most
  }

  /**
   * Rests where it is due. Those that rest at the same time share the pace of one.
   *
   * @param workedMs how long the statements of its last batch took
   * @param mostMs how long it may rest
   */
  async rest(sourceId: string, workedMs: number, mostMs: number, signal: AbortSignal): Promise<void> {
    if (!this.isDue(sourceId)) return
    this.#resting++
    await rest(Math.min(workedMs * this.factor * this.#resting, mostMs), signal)
    this.#resting--
  }
}
