import { moment, plural } from '../inspect/words'
import { type Check, type Found, ok, problem } from './check'

/** Portals that are named one by one. */
const NAMED = 10

interface Row {
  portalId: string
  sourceId: string
  lostSince: Date | null
  reconciledAt: Date | null
  missing: number
  all: number
}

/** Whether what Segment accepted is in the portals' warehouses, as far as canaries and comparisons have told. */
export const notInWarehouse: Check = {
  name: 'not-in-warehouse',
  async look({ db }) {
    const { warehouse, source } = db.tables
    const rows = await db.query<Row>(
      `SELECT s.portal_id AS "portalId", source_id AS "sourceId", w.canary_lost_since AS "lostSince",
              w.reconciled_at AS "reconciledAt", w.missing, (count(*) OVER ())::int AS "all"
       FROM ${warehouse} w JOIN ${source} s USING (source_id)
       WHERE s.status <> 'disabled' AND (w.canary_lost_since IS NOT NULL OR w.missing > 0)
       ORDER BY w.canary_lost_since NULLS LAST, w.missing DESC, source_id LIMIT ${NAMED}`,
    )
    const [first] = rows
    if (first === undefined)
      return ok('No canary is lost, and no comparison with a warehouse missed a message.')
    const findings = rows.map(findingOf)
    const more = first.all - rows.length
    if (more > 0) {
      const found = `${plural(more, 'more portal')} ${more === 1 ? 'has' : 'have'} a lost canary or missing messages.`
      findings.push(problem(found, MATTERS, 'List them: `synap-outbox warehouses`.'))
    }
    return findings
  },
}

const MATTERS = 'Segment answers 200 to what it then drops: these events are missing in the portal’s reports.'

function findingOf({ portalId, sourceId, lostSince, reconciledAt, missing }: Row): Found {
  const whose = `Portal ${portalId} (source ${sourceId})`
  if (lostSince !== null) {
    return problem(
      `${whose}: the canary that Segment accepted at ${moment(lostSince)} did not reach the warehouse.`,
      MATTERS,
      'Check the write key and the region, then the warehouse’s Sync History in Segment. When it is mended: `synap-outbox reconcile --send-again`.',
    )
  }
  const at = reconciledAt === null ? '' : ` at ${moment(reconciledAt)}`
  return problem(
    `${whose}: ${plural(missing, 'delivered message')} ${missing === 1 ? 'was' : 'were'} missing in the warehouse when they were compared${at}.`,
    MATTERS,
    'Compare again, which tells the likely cause: `synap-outbox reconcile`, or the portal’s Warehouse page in the console.',
  )
}
