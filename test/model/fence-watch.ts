import type { Settlement } from './evidence'

/**
 * Listens to what the dispatchers' statements were given and answered: which leases were taken, and which statements
 * under a fencing token said that they still held it.
 */
export class FenceWatch {
  readonly settlements: Settlement[] = []
  readonly #latest = new Map<string, bigint>()

  /** A statement is about to go out, its source and token first. Tell the returned function what it answered. */
  begin(parameters: readonly unknown[] = []): (answer: unknown) => void {
    const [sourceId, token] = parameters.map(String)
    const latest = this.#latest.get(sourceId ?? '')
    return (answer) => {
      const rows = answer as { sourceId?: string; token?: string; held?: boolean }[]
      for (const row of rows) if (row.sourceId && row.token) this.#latest.set(row.sourceId, BigInt(row.token))
      if (sourceId && token && latest !== undefined && rows[0]?.held)
        this.settlements.push({ sourceId, token: BigInt(token), latest })
    }
  }
}
