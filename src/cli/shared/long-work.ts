import type { Progress } from '../../operate/audited-change'
import { startProgress } from '../output/progress'
import { stopSignal } from './signals'

/** Runs work in chunks that shows how far it is, and that SIGINT or SIGTERM ends between two of them. */
export async function longWork<Report>(
  label: string,
  total: number,
  run: (progress: Required<Progress>) => Promise<Report>,
): Promise<{ report: Report; stopped: boolean }> {
  const stopping = new AbortController()
  const stop = stopSignal()
  void stop.told.then(() => stopping.abort())
  const bar = startProgress(label, total)
  try {
    const report = await run({ onProgress: bar.reach, signal: stopping.signal })
    return { report, stopped: stopping.signal.aborted }
  } finally {
    bar.end()
    stop.forget()
  }
}
