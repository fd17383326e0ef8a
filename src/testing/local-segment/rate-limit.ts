/**
 * Requests per second and workspace, counted in whole seconds.
 *
 * Segment recommends no more than 1,000 and may answer 429 beyond, with `Retry-After` and `X-RateLimit-Reset`,
 * both in seconds. Source: Segment, "HTTP API Source", section "Rate limits".
 */
export class RateLimit {
  readonly #requests = new Map<string, number>()
  #second = 0

  constructor(
    private readonly requestsPerSecond: number,
    private readonly now: () => number,
  ) {}

  /** Counts a request of `workspace`; true if it is one too many. */
  exceeded(workspace: string): boolean {
    const second = Math.floor(this.now() / 1000)
    if (second !== this.#second) this.#requests.clear()
    this.#second = second
    const requests = (this.#requests.get(workspace) ?? 0) + 1
    this.#requests.set(workspace, requests)
    return requests > this.requestsPerSecond
  }
}
