import { SingleBar } from 'cli-progress'

/** How far a long work has come: on stderr, and only where a terminal shows it. */
export interface Progress {
  /** How much is done since the beginning. */
  reach(done: number): void
  end(): void
}

/** @param total of what is to be done; more may turn out to be there */
export function startProgress(label: string, total: number): Progress {
  if (!process.stderr.isTTY || total === 0) return { reach() {}, end() {} }
  const barsize = Math.max(10, Math.min(40, (process.stderr.columns || 80) - label.length - 30))
  const bar = new SingleBar({
    format: `${label} {bar} {value} of {total}`,
    barCompleteChar: '#',
    barIncompleteChar: '.',
    barsize,
    stream: process.stderr,
    clearOnComplete: true,
    hideCursor: true,
    stopOnComplete: false,
    linewrap: false,
  })
  bar.start(total, 0)
  return {
    reach(done) {
      if (done > bar.getTotal()) bar.setTotal(done)
      bar.update(done)
    },
    end: () => bar.stop(),
  }
}
