import type { Outbox } from '../outbox'

/**
 * Watches for calls that cannot be sent. In production they never fail the business change, which is right for an exam
 * and wrong for a test: they would pass unnoticed.
 *
 *     afterEach(failOnDiverted(outbox))
 *
 * @returns a function that throws an Error with every diverted call since it was last called, and what is wrong with
 *   each. Calls of transactions that were rolled back are among them.
 */
export function failOnDiverted(outbox: Pick<Outbox, 'on'>): () => void {
  const diverted: string[] = []
  outbox.on('diverted', ({ event, portalId, problems }) => {
    const what = event === null ? 'A call' : `"${event}"`
    const where = portalId === null ? '' : ` for portal ${portalId}`
    diverted.push([`${what}${where}:`, ...problems.map((problem) => `    ${problem}`)].join('\n'))
  })
  return () => {
    const found = diverted.splice(0)
    if (found.length === 0) return
    throw new Error(
      [
        `${found.length === 1 ? 'A call' : `${found.length} calls`} cannot be sent to Segment. In production nothing`,
        'fails, and the portal’s analytics miss the event. Correct the call, or the tracking plan.',
      ].join(' ') + ['', ...found].join('\n  '),
    )
  }
}
