import { ApplicationRequests } from '../application-requests'

/** For so many milliseconds after an HTTP request, or a commit for another source, there is somebody to give way to. */
const RECENT_MS = 100

/**
 * Messages in one request meanwhile: settling one keeps a core of the database busy for 60 µs, in one go. At the same
 * pace, the application's slowest requests took 9 ms beside batches of 250, and 6 ms beside those of 100 or 25.
 */
const MESSAGES = 100

/** Longest rest, in milliseconds: however many have a backlog, each sends something every second. */
const LONGEST_MS = 1000

/** Milliseconds after which a source that has not given way again is forgotten: another process may have it. */
const FORGOTTEN_MS = 2 * LONGEST_MS

/**
 * The exam comes first (I10), and the quiet portal before the flooded one (I9). While this process answers HTTP requests,
 * or commits for other sources, a source that has more than one request to send gives way: it does one thing after the
 * other instead of two at once, sends smaller batches, and rests after each, without its lease and its place.
 * What goes out in one request is never held up.
 *
 * Measured with two cores for all of it, the database included (benchmark `app.p99`): the 99th percentile of the
 * application's own requests is 1.45 times that of a quiet process with a factor of 20, and 480 events/s go out; 1.34
 * times with 40, and 235; 1.26 times with 100, and 120; five times at full speed. Batches of 40 gain nothing. Not reading
 * ahead alone brings half of what is gained. What is left is the scheduler: a database process that is woken runs before
 * the one that woke it.
 *
 * Seen are HTTP/1 requests, https included, when they begin, and the commits of the same outbox. Not seen: HTTP/2,
 * sockets, queues, and what other processes do.
 */
export class GivingWay {
  readonly #requests = new ApplicationRequests()
  #lastCommit = { sourceId: '', at: -Infinity }
  /** Of the last commit for another source than that. */
  #otherCommitAt = -Infinity
  /** When each source with a backlog last gave way. */
  readonly #backlogs = new Map<string, number>()

  /** @param factor how many times as long as its statements took a source rests; 0 to give way to nobody */
  constructor(private readonly factor: number) {}

  begin(): void {
    this.#requests.begin()
  }

  end(): void {
    this.#requests.end()
  }

  /** Something was committed for these sources. Nobody gives way to one that has a backlog itself. */
  committed(sourceIds: readonly string[]): void {
    const at = performance.now()
    for (const sourceId of sourceIds) {
      if (this.#backlogs.has(sourceId)) continue
      if (sourceId !== this.#lastCommit.sourceId) this.#otherCommitAt = this.#lastCommit.at
      this.#lastCommit = { sourceId, at }
    }
  }

  /** Whether there is somebody that this source has to give way to, if it has a backlog. */
  isDue(sourceId: string): boolean {
    const { lastAt } = this.#requests
    const commitAt = this.#lastCommit.sourceId === sourceId ? this.#otherCommitAt : this.#lastCommit.at
    return this.factor > 0 && performance.now() - Math.max(lastAt, commitAt) < RECENT_MS
  }

  /** How many messages its next batch may have, of so many at most. */
  messages(sourceId: string, most: number): number {
    return this.#backlogs.has(sourceId) && this.isDue(sourceId) ? Math.min(MESSAGES, most) : most
  }

  /**
   * How long it rests after a batch that left others waiting, in milliseconds. Those that give way at the same time share
   * the pace of one, as far as the longest rest allows.
   *
   * @param workedMs how long the batch's statements took
   */
  restMs(sourceId: string, workedMs: number): number {
    const now = performance.now()
    for (const [other, at] of this.#backlogs) if (now - at > FORGOTTEN_MS) this.#backlogs.delete(other)
    this.#backlogs.set(sourceId, now)
    return Math.min(workedMs * this.factor * this.#backlogs.size, LONGEST_MS)
  }

  /** It has sent all it had. */
  caughtUp(sourceId: string): void {
    this.#backlogs.delete(sourceId)
  }
}
