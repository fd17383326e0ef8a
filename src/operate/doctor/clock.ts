import { duration } from '../inspect/words'
import { type Check, notice, ok } from './check'

/** A round trip's asymmetry, and NTP at its worst. */
const TOLERATED_MS = 2000

/** Whether host and database agree on the time. Leases do not need it; event times do. */
export const clock: Check = {
  name: 'clock-skew',
  async look({ db, now }) {
    const before = now()
    const [row] = await db.query<{ ms: number }>(
      'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS ms',
    )
    const after = now()
    // The database read its clock somewhere in between: what is left outside is certain.
    const ms = row?.ms ?? before
    const skew = ms < before ? ms - before : Math.max(0, ms - after)
    if (Math.abs(skew) <= TOLERATED_MS) return ok('The clocks of this host and of the database agree.')
    const which = skew > 0 ? 'behind' : 'ahead of'
    return notice(
      `This host’s clock is ${duration(Math.abs(skew))} ${which} the database’s.`,
      'Nothing is lost or doubled by it, but Segment corrects event times by the sender’s clock, and so they are off.',
      'Synchronise both with NTP.',
    )
  },
}
