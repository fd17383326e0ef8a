import { isCanaryAlone } from '../inspect/source-health'
import { listSources } from '../inspect/sources'
import { type Check, ok, problem } from './check'

/** Sources that are named one by one; the others of their kind are counted. */
const NAMED = 10
/** Failed attempts in a row from which it is no hiccup. */
const MANY_FAILURES = 5

/** Whether sources are refused, or fail for long. */
export const sources: Check = {
  name: 'source-in-trouble',
  async look({ db }) {
    // Where only the canary tells, `not-in-warehouse` tells it.
    const refused = (await listSources(db, { health: 'refused', limit: 1000 })).filter(
      (source) => !isCanaryAlone(source),
    )
    const failing = (await listSources(db, { health: 'failing', limit: 1000 })).filter(
      ({ failures }) => failures >= MANY_FAILURES,
    )
    const troubled = [...refused, ...failing]
    if (troubled.length === 0) return ok('No source is refused, or has been failing for long.')
    const findings = troubled
      .slice(0, NAMED)
      .map(({ portalId, sourceId, summary, remedy }) =>
        problem(
          `Portal ${portalId} (source ${sourceId}): ${summary}`,
          'Its events do not arrive.',
          remedy ?? '',
        ),
      )
    const more = troubled.length - findings.length
    if (more > 0) {
      const found = `${more === 1000 ? 'At least 1000' : more} more sources are refused or failing.`
      findings.push(problem(found, 'Their events do not arrive.', 'List them: `outbox.inspect.sources()`.'))
    }
    return findings
  },
}
