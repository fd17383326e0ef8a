import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { environment, MAIN, parsed } from './support/cli'
import { createStage, type Stage } from './support/stage'

let stage: Stage
const running: ChildProcess[] = []

beforeEach(async () => {
  stage = await createStage()
})
afterEach(async () => {
  for (const child of running.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGKILL')
    await once(child, 'close')
  }
  await stage.scene.end()
})

/** A command as a process of its own, to be told to stop. */
function start(...args: string[]) {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...process.env, NO_COLOR: '1', ...environment(stage.scene) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.push(child)
  const said = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      said[name] += text
      child.emit('said')
    })
  }
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...said }))
  return {
    ended,
    async says(words: string) {
      while (!said.stderr.includes(words)) await once(child, 'said')
    },
    stop: (signal: NodeJS.Signals) => child.kill(signal),
  }
}

describe('drain', () => {
  it('sends what is due, and tells what it did', async () => {
    await stage.record('meridian', 'user-1', 3)
    expect(await stage.cli('drain')).toEqual({
      code: 0,
      stdout: 'Delivered 3 messages in 1 request.\n',
      stderr: '',
    })
    expect(stage.scene.segment.accepted()).toHaveLength(3)
    expect(parsed(await stage.cli('drain', '--json'))).toMatchObject({ report: { delivered: 0 }, pending: 0 })
  })

  it('ends with 3 where something still waits', async () => {
    await stage.record('meridian', 'user-1', 2)
    stage.scene.segment.fault({ kind: 'status', status: 503 })
    const { code, stdout } = await stage.cli('drain')
    expect(code).toBe(3)
    expect(stdout).toContain('2 messages still wait: `synap-outbox sources` says what for.')
  })
})

describe('drain --watch', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('dispatches until %s, and then stops in order', async (signal) => {
    const watch = start('drain', '--watch')
    await watch.says('Dispatching.')
    await stage.record('meridian', 'user-1', 2)
    await stage.scene.segment.waitFor((segment) => segment.accepted().length === 2)
    watch.stop(signal)
    const { code, stdout, stderr } = await watch.ended
    expect(code).toBe(0)
    expect(stderr).toContain(`Stopping: ${signal}.`)
    expect(stdout).toBe('Delivered 2 messages; 0 ended dead, 0 uncertain.\n')
    expect(await stage.scene.rows('SELECT lease_owner FROM source_delivery')).toEqual([{ lease_owner: null }])
  })
})

describe('SIGINT', () => {
  it('ends a redrive between two chunks: what is done is in the audit, and can be gone on with', async () => {
    const total = 3000
    await stage.scene.rows(
      `INSERT INTO outbox_batch (batch_id, first_seq, last_seq, lease_token, source_id, wire_bytes, outcome, settled_at, message_ids)
       OVERRIDING SYSTEM VALUE SELECT 1, 1, 1, 1, source_id, 1, 'dead', now(), ARRAY[source_id] FROM segment_source`,
    )
    await stage.scene.rows(
      `INSERT INTO outbox_message (message_id, source_id, portal_id, batch_id, occurred_at, settled_at, wire_bytes, status, type, event, user_id, reason, body)
       SELECT gen_random_uuid(), source_id, portal_id, 1, now(), now(), 1, 'dead', 'track', 'Began Test', 'u', 'refused', '{}'
       FROM segment_source, generate_series(1, $1::int)`,
      [total],
    )
    // The second chunk waits for a row that is held here: only then is the process told to stop.
    const held = stage.scene.dataSource.createQueryRunner()
    await held.startTransaction()
    const [last] = await held.query(
      'SELECT message_id AS id FROM outbox_message ORDER BY seq OFFSET 1500 LIMIT 1',
    )
    await held.query('SELECT FROM outbox_message WHERE message_id = $1 FOR UPDATE', [last.id])
    const redrive = start(
      'redrive',
      '--portal',
      'meridian',
      '--reason',
      'INC-42',
      '--actor',
      'olga',
      '--yes',
      '--json',
    )
    const waiting = `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'synap-outbox'`
    while ((await stage.scene.rows(waiting)).length === 0) await new Promise(setImmediate)
    redrive.stop('SIGINT')
    await new Promise(setImmediate)
    await held.rollbackTransaction()
    await held.release()
    const { code, stdout, stderr } = await redrive.ended
    expect(code).toBe(1)
    expect(stderr).toContain('Stopped before its end')
    const { report } = JSON.parse(stdout) as { report: { redriven: number } }
    expect(report.redriven).toBe(2000)
    const [audited] = await stage.scene.rows('SELECT sum(messages)::int AS n FROM outbox_audit')
    const [pending] = await stage.scene.rows(
      `SELECT count(*)::int AS n FROM outbox_message WHERE status = 'pending'`,
    )
    expect([audited, pending]).toEqual([{ n: 2000 }, { n: 2000 }])
  })
})
