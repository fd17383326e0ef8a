import { listDispatchers } from '../inspect/dispatchers'
import { moment, plural } from '../inspect/words'
import { type Check, ok, problem } from './check'

/** Whether anyone dispatches. */
export const dispatchers: Check = {
  name: 'no-dispatcher',
  async look({ db }) {
    const known = await listDispatchers(db)
    const alive = known.filter((dispatcher) => dispatcher.alive)
    if (alive.length > 0) return ok(`${plural(alive.length, 'dispatcher')} ticking.`)
    const last = known.map(({ lastTickAt }) => lastTickAt).sort((a, b) => b.getTime() - a.getTime())[0]
    return problem(
      `No dispatcher is ticking${last ? `: the last one was heard of at ${moment(last)}` : ''}.`,
      'What is recorded waits, and nothing is sent.',
      'Start a process that calls `outbox.start()`, or run `synap-outbox drain --watch`. A process that is there but silent is starved or has no connection left.',
    )
  },
}
