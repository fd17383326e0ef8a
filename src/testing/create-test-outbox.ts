import { randomBytes } from 'node:crypto'
import type { OutboxOptions } from '../options'
import { createOutbox, type Outbox } from '../outbox'
import type { Plan } from '../plan/define-plan'
import type { synapPlan } from '../plan/synap-plan'
import type { ConnectOptions, Source } from '../sources/sources'
import { startLocalSegment } from './local-segment/start-local-segment'
import type { LocalSegment } from './local-segment/types'

/** `createOutbox`'s own options, all of them optional but the database. */
export interface TestOutboxOptions<P extends Plan>
  extends Partial<Omit<OutboxOptions<P>, 'dataSource' | 'segment'>>,
    Pick<OutboxOptions<P>, 'dataSource'> {}

export interface TestOutbox<P extends Plan = typeof synapPlan> {
  readonly outbox: Outbox<P>
  /** Where it sends to. */
  readonly segment: LocalSegment
  /** A portal that is connected already; its id is new each time, so tests may share a database. */
  readonly portalId: string
  /** Connects one more portal, with a write key that the local Segment knows. */
  connect(portalId: string, options?: Pick<ConnectOptions, 'region' | 'detailedEvents'>): Promise<Source>
  /** Stops both. The DataSource stays open: it is the caller's. */
  close(): Promise<void>
}

/**
 * An outbox with a local Segment of its own and a connected portal, in one call. It is not started: `drained(outbox)`
 * sends when the test says so. After a failure sources rest for milliseconds only, unless told otherwise.
 *
 * @param options the DataSource has to be initialised, and its migrations run
 */
export async function createTestOutbox<P extends Plan = typeof synapPlan>(
  options: TestOutboxOptions<P>,
): Promise<TestOutbox<P>> {
  const segment = await startLocalSegment()
  const outbox = createOutbox<P>({
    secretKeys: `test:${randomBytes(32).toString('base64')}`,
    dispatcher: { backoff: { initialMs: 1, maxMs: 5, refusedMs: 5 } },
    ...options,
    segment: { host: { us: segment.url, eu: segment.euUrl } },
  })
  const connect: TestOutbox['connect'] = (portalId, settings = {}) => {
    const writeKey = randomBytes(16).toString('hex')
    segment.addWriteKey(writeKey, { region: settings.region })
    return outbox.sources.connect({ portalId, writeKey, ...settings })
  }
  const close = async () => {
    await Promise.all([outbox.stop(), segment.close()])
  }
  const portalId = `portal-${randomBytes(6).toString('hex')}`
  try {
    await connect(portalId)
  } catch (error) {
    await close() // nobody else could
    throw error
  }
  return { outbox, segment, portalId, connect, close }
}
