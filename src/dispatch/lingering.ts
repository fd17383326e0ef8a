/**
 * Sources that have just sent all they had. Each is left alone for a moment: what is committed for it meanwhile goes out
 * in one request, where a request for each commit would cost the database and the portal's rate limit far more than the
 * messages themselves. The first message after a pause is never held up.
 */
export class Lingering {
  readonly #sources = new Map<string, { woken: boolean; timer: NodeJS.Timeout }>()

  /** @param due called when one that was woken has lingered */
  constructor(private readonly due: () => void) {}

  /** @param woken whether it has something to send already */
  begin(sourceId: string, ms: number, woken: boolean): void {
    const timer = setTimeout(() => {
      const { woken = false } = this.#sources.get(sourceId) ?? {}
      this.#sources.delete(sourceId)
      if (woken) this.due()
    }, ms)
    timer.unref() // what waits is in the database, and nobody has to wait for it to go out
    this.#sources.set(sourceId, { woken, timer })
  }

  /** Whether the source lingers: then it is served afterwards. */
  wake(sourceId: string): boolean {
    const source = this.#sources.get(sourceId)
    if (source) source.woken = true
    return source !== undefined
  }

  get sourceIds(): string[] {
    return [...this.#sources.keys()]
  }

  /** No source lingers any more, and `due` is not called for those that did. */
  end(): void {
    for (const { timer } of this.#sources.values()) clearTimeout(timer)
    this.#sources.clear()
  }
}
