interface Waiter {
  check(): void
  reject(error: Error): void
}

/** Wakes whoever waits for something to become true. Checked on every change, so nothing has to poll. */
export class Signals {
  readonly #waiters = new Set<Waiter>()

  /** To be called after each change. */
  notify(): void {
    for (const waiter of this.#waiters) waiter.check()
  }

  /**
   * Resolves as soon as `holds()` is true.
   * @throws Error with `explain()` after `timeoutMs` milliseconds, and whatever `holds` throws
   */
  wait(holds: () => boolean, timeoutMs: number, explain: () => string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => waiter.reject(new Error(explain())), timeoutMs)
      const leave = () => {
        clearTimeout(timer)
        this.#waiters.delete(waiter)
      }
      const waiter: Waiter = {
        check: () => {
          try {
            if (!holds()) return
            leave()
            resolve()
          } catch (error) {
            waiter.reject(error as Error)
          }
        },
        reject: (error) => {
          leave()
          reject(error)
        },
      }
      this.#waiters.add(waiter)
      waiter.check()
    })
  }

  /** Rejects everyone who still waits. */
  end(error: Error): void {
    for (const waiter of [...this.#waiters]) waiter.reject(error)
  }
}
