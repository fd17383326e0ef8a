import { subscribe } from 'node:diagnostics_channel'
import { writeSync } from 'node:fs'
import { DataSource, QueryFailedError } from 'typeorm'
import { outboxEntities } from '../../../entities'
import { createOutbox, type Outbox } from '../../../src'
import { layoutThread } from '../../../src/segment/layout-thread'
import type { Step } from '../../../src/steps'
import { setHostClock } from './host-clock'
import {
  type Fact,
  type Order,
  type OrderMessage,
  type Orders,
  PAUSED,
  POISON,
  type ProcessMessage,
  SECRET_KEYS,
  type Setup,
} from './protocol'

/**
 * An application as a process of its own, with a business table and an outbox, which does what it is told. It has no
 * handlers for errors beyond what an application has to have, so whatever the outbox lets escape ends it.
 */
let dataSource: DataSource
let outbox: Outbox
const reachedSteps: Step[] = []

const never = '0 0 1 1 *'

const actions: { [O in Order]: (given: Orders[O]['with']) => Promise<Orders[O]['answer']> } = {
  async open(setup) {
    reachedSteps.length = 0
    dataSource = await openDatabase(setup)
    outbox = createOutbox({
      dataSource,
      secretKeys: SECRET_KEYS,
      segment: { host: setup.segmentUrl, timeoutMs: setup.timeoutMs ?? 5000 },
      dispatcher: { cron: never, backoff: { initialMs: 1, maxMs: 5, refusedMs: 5 }, ...setup.dispatcher },
      retention: { cron: never, ...setup.retention },
    })
    for (const event of ['leaseLost', 'attempt', 'settled', 'resting'] as const) {
      outbox.on(event, (payload) => say({ event, payload }))
    }
    outbox.on('error', ({ error, during }) =>
      say({ event: 'error', payload: { during, error: String(error) } }),
    )
    return null
  },

  async crashAt(when) {
    once(when, () => process.kill(process.pid, 'SIGKILL'))
    return null
  },

  async pauseAt(when) {
    once(when, () => {
      writeSync(1, PAUSED) // in the same breath: what goes through a stream would wait for the process to go on
      process.kill(process.pid, 'SIGSTOP')
    })
    return null
  },

  async setHostClock({ offsetMs }) {
    setHostClock(offsetMs)
    await layoutThread.end() // the next one reads it too
    return null
  },

  async record(facts) {
    for (const fact of facts) await recordFact(fact)
    return null
  },

  async start() {
    await outbox.start()
    return null
  },

  drain: () => outbox.drain(),
  prune: () => outbox.prune(),

  async stop() {
    await outbox.stop()
    if (dataSource.isInitialized) await dataSource.destroy()
    return null
  },

  steps: async () => reachedSteps,
}

/** Runs `act` as the step is reached the `nth` time, before anything else happens in this process. */
function once({ step, nth }: { step?: Step; nth: number }, act: () => void): void {
  let times = 0
  subscribe('synap-outbox:step', (message) => {
    const at = (message as { step: Step }).step
    if ((step === undefined || step === at) && ++times === nth) act()
  })
}

async function openDatabase({ databaseUrl, pool = 10 }: Setup): Promise<DataSource> {
  const extra = { max: pool }
  const applicationName = 'exam-process'
  const options = {
    type: 'postgres',
    url: databaseUrl,
    applicationName,
    entities: outboxEntities,
    extra,
  } as const
  return new DataSource({ ...options, synchronize: false }).initialize()
}

class Failed extends Error {}

async function recordFact(fact: Fact): Promise<void> {
  const { id, portalId, rolledBack, poison = false } = fact
  try {
    await dataSource.transaction(async (tx) => {
      const row = [id, portalId, poison, process.pid]
      await tx.query('INSERT INTO exam_fact (id, portal_id, poison, recorder) VALUES ($1, $2, $3, $4)', row)
      const properties = { testId: poison ? POISON : 'test', attemptId: id, attemptNumber: 1 }
      await outbox.track(tx, 'Began Test', { portalId, userId: 'student', properties })
      if (rolledBack) throw new Failed('the exam was not saved')
    })
  } catch (error) {
    // What an application has to do with serialisation failures anyway.
    if (isConflict(error)) return recordFact(fact)
    if (!(error instanceof Failed)) throw error
  }
}

function isConflict(error: unknown): boolean {
  return error instanceof QueryFailedError && (error.driverError as { code?: string }).code === '40001'
}

function say(message: ProcessMessage): void {
  process.send?.(message)
}

async function obey({ number, order, with: given }: OrderMessage): Promise<void> {
  try {
    const act = actions[order] as (given: unknown) => Promise<unknown>
    say({ number, answer: await act(given) })
  } catch (error) {
    say({ number, error: error instanceof Error ? String(error.stack) : String(error) })
  }
}

subscribe('synap-outbox:step', (message) => reachedSteps.push((message as { step: Step }).step))
process.on('message', (message: OrderMessage) => void obey(message))

// What an application does on SIGTERM.
process.on('SIGTERM', () => void actions.stop(null).then(() => process.disconnect()))
