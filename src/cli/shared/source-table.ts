import type { SourceState } from '../../operate/inspect/types'
import { duration } from '../../operate/inspect/words'
import type { Screen } from '../output/screen'
import { type Column, printTable } from '../output/table'
import { countOfSource, relative } from '../output/words'
import { HEALTH_TONES } from './tones'

/** Sources as a table. `now` is the database's. */
export function printSources(screen: Screen, sources: readonly SourceState[], now: Date): void {
  const columns: Column<SourceState>[] = [
    { title: 'Portal', cell: ({ portalId }) => portalId, least: 12 },
    { title: 'Health', cell: ({ health }) => health, tone: ({ health }) => HEALTH_TONES[health] },
    { title: 'Waiting', cell: ({ pending }) => countOfSource(pending), right: true },
    {
      title: 'Lag',
      cell: ({ lagMs, pending }) => (lagMs === null || pending === 0 ? '-' : duration(lagMs)),
      right: true,
    },
    { title: 'Dead', cell: ({ dead }) => countOfSource(dead), right: true, dispensable: 1 },
    { title: 'Uncertain', cell: ({ uncertain }) => countOfSource(uncertain), right: true, dispensable: 2 },
    {
      title: 'Delivered',
      cell: ({ lastDeliveredAt }) => (lastDeliveredAt ? relative(lastDeliveredAt, now) : 'never'),
      dispensable: 3,
    },
    { title: 'Source', cell: ({ sourceId }) => sourceId, dispensable: 4 },
    { title: 'What is the case', cell: ({ summary }) => summary, sentence: true },
  ]
  printTable(screen, columns, sources)
}
