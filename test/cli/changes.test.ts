import os from 'node:os'
import { commandLine, parsed, SECRET_KEYS } from './support/cli'
import { createStage, type Stage } from './support/stage'

let stage: Stage

beforeEach(async () => {
  stage = await createStage()
})
afterEach(() => stage.scene.end())

const because = ['--reason', 'INC-42: the proxy', '--actor', 'olga', '--yes']
/** Everything that a change could touch, to compare before and after. */
const everything = () =>
  stage.scene.rows(`
    SELECT 'message' AS kind, to_jsonb(m) AS row FROM outbox_message m
    UNION ALL SELECT 'source', to_jsonb(s) FROM segment_source s
    UNION ALL SELECT 'delivery', to_jsonb(d) FROM source_delivery d
    UNION ALL SELECT 'batch', to_jsonb(b) FROM outbox_batch b
    UNION ALL SELECT 'audit', to_jsonb(a) FROM outbox_audit a
    ORDER BY 1, 2`)
const statuses = async () =>
  (await stage.scene.rows<{ status: string }>('SELECT status FROM outbox_message ORDER BY status')).map(
    ({ status }) => status,
  )
const audit = () =>
  stage.scene.rows('SELECT actor, action, reason, messages FROM outbox_audit ORDER BY audit_id')

describe('every command that changes rows', () => {
  const CHANGES = [
    ['redrive', '--portal', 'meridian'],
    ['resolve', '--portal', 'meridian', '--send-again'],
    ['resolve', '--portal', 'meridian', '--mark-delivered'],
    ['discard', '--portal', 'meridian'],
    ['erase', '--user', 'user-1'],
    ['sources', 'pause', 'meridian'],
    ['sources', 'resume', 'meridian'],
    ['sources', 'retry', 'meridian'],
    ['sources', 'disable', 'meridian'],
    ['sources', 'rotate-secrets'],
    ['prune', '--delivered-days', '1'],
    ['migrate'],
  ]

  it('changes nothing in a dry run, nor without somebody who agrees, nor without a reason', async () => {
    await stage.recordDead('meridian', 'user-1', 2)
    await stage.recordUncertain('meridian', 'user-1', 1)
    await stage.record('meridian', 'user-1', 1)
    const before = await everything()
    const rotated = commandLine(stage.scene, {
      OUTBOX_SECRET_KEYS: `k2:${Buffer.alloc(32, 9).toString('base64')},${SECRET_KEYS}`,
    })
    for (const change of CHANGES) {
      const dry = await rotated(...change, '--dry-run')
      // Some are in doubt: redrive would leave them alone, and says so.
      expect([change, dry.code, dry.stderr]).toEqual([change, change[0] === 'redrive' ? 3 : 0, ''])
      const audited = change[0] !== 'prune' && change[0] !== 'migrate'
      const asked = await rotated(...change, ...(audited ? ['--reason', 'x'] : []))
      expect([change, asked.code, asked.stdout]).toEqual([change, 2, ''])
      expect(asked.stderr).toContain('no terminal is there to confirm it on')
      if (!audited) continue
      const unexplained = await rotated(...change, '--yes')
      expect([change, unexplained.code, unexplained.stdout]).toEqual([change, 2, ''])
      expect(unexplained.stderr).toContain('No reason is given.')
    }
    expect(await everything()).toEqual(before)
  }, 180_000)

  it.each([[['redrive']], [['discard']], [['resolve', '--send-again']]])(
    'refuses %j for all that there is',
    async (command) => {
      const { code, stderr } = await stage.cli(...command, ...because)
      expect(code).toBe(2)
      expect(stderr).toContain('It is not said which messages.')
    },
  )
})

describe('redrive', () => {
  it('sends what is selected again, in the name of who did it', async () => {
    const [one = '', two = ''] = await stage.recordDead('meridian', 'user-1', 3)
    const { code, stdout } = await stage.cli('redrive', '--id', one, '--id', two, ...because)
    expect({ code, stdout }).toEqual({ code: 0, stdout: '2 messages are pending again.\n' })
    expect(await statuses()).toEqual(['dead', 'pending', 'pending'])
    expect(await audit()).toEqual([
      { actor: 'olga', action: 'send again', reason: 'INC-42: the proxy', messages: 2 },
    ])
  })

  it('selects by cause, in the words of `dead`', async () => {
    await stage.recordDead('meridian', 'user-1', 2)
    const { groups } = parsed<{ groups: { reason: string }[] }>(await stage.cli('dead', '--json'))
    const cause = groups[0]?.reason ?? ''
    expect(await stage.cli('redrive', '--cause', 'another', ...because)).toMatchObject({
      stderr: 'There is nothing to change.\n',
    })
    expect((await stage.cli('redrive', '--cause', cause, ...because)).stdout).toContain('2 messages')
  })

  it('leaves alone what is in doubt or was never sendable, says so, and ends with 3', async () => {
    await stage.recordDead('meridian', 'user-1', 1)
    await stage.recordUncertain('meridian', 'user-2', 1)
    await stage.recordDiverted('meridian', 'user-3')
    const { code, stderr } = await stage.cli('redrive', '--portal', 'meridian', ...because)
    expect(code).toBe(3)
    expect(stderr).toContain('1 message is in doubt and left alone: `synap-outbox resolve`.')
    expect(stderr).toContain('1 message could never be sent')
    expect(await statuses()).toEqual(['dead', 'pending', 'uncertain'])
  })

  it('has the same document for scripts, dry or not', async () => {
    await stage.recordDead('meridian', 'user-1', 1)
    const preview = expect.objectContaining({ refused: 1, inDoubt: 0, diverted: 0 })
    const selection = { portalId: 'meridian', status: ['dead'] }
    const args = ['redrive', '--portal', 'meridian', '--status', 'dead', '--json']
    expect(parsed(await stage.cli(...args, '--dry-run'))).toEqual({
      ...{ dryRun: true, selection, preview, report: null },
    })
    expect(parsed(await stage.cli(...args, ...because))).toEqual({
      ...{ dryRun: false, selection, preview, report: { redriven: 1, marked: 0 } },
    })
  })

  it('takes the user of the operating system where no actor is named', async () => {
    await stage.recordDead('meridian', 'user-1', 1)
    await stage.cli('redrive', '--portal', 'meridian', '--reason', 'x', '--yes')
    expect(await audit()).toMatchObject([{ actor: os.userInfo().username }])
  })
})

describe('resolve', () => {
  it('marks as delivered what was found in the warehouse', async () => {
    const [id = ''] = await stage.recordUncertain('meridian', 'user-1', 1)
    const { stdout } = await stage.cli('resolve', '--id', id, '--mark-delivered', ...because)
    expect(stdout).toBe('1 message is marked delivered.\n')
    expect(await statuses()).toEqual(['delivered'])
  })

  it('sends uncertain ones again, and leaves to redrive what Segment refused', async () => {
    await stage.recordDead('meridian', 'user-2', 1)
    await stage.recordUncertain('meridian', 'user-1', 1)
    const { stdout } = await stage.cli('resolve', '--portal', 'meridian', '--send-again', ...because)
    expect(stdout).toBe('1 message is pending again.\n')
    expect(await statuses()).toEqual(['dead', 'pending'])
  })

  it.each([[[]], [['--send-again', '--mark-delivered']]])(
    'wants one decision, and not %j',
    async (decisions) => {
      const { code, stderr } = await stage.cli('resolve', '--portal', 'meridian', ...decisions, ...because)
      expect(code).toBe(2)
      expect(stderr).toContain('Pass --send-again or --mark-delivered')
    },
  )
})

describe('discard', () => {
  it('gives up dead, uncertain and pending ones, and nothing that was delivered', async () => {
    await stage.record('meridian', 'user-1', 1)
    await stage.outbox.drain()
    await stage.recordDead('meridian', 'user-2', 1)
    await stage.record('meridian', 'user-3', 2)
    const dry = await stage.cli('discard', '--portal', 'meridian', '--dry-run')
    expect(dry.stdout).toBe(
      'Dry run: Discard 1 dead or uncertain message and 2 pending messages. Nothing was changed.\n',
    )
    const { stdout } = await stage.cli('discard', '--portal', 'meridian', ...because)
    expect(stdout).toBe('3 messages are discarded.\n')
    expect(await statuses()).toEqual(['delivered', 'discarded', 'discarded', 'discarded'])
  })
})

describe('erase', () => {
  it('erases a person from all messages, and reports counts only', async () => {
    await stage.record('meridian', 'user-1', 2)
    await stage.outbox.drain()
    await stage.recordDead('meridian', 'user-1', 1)
    await stage.record('meridian', 'user-2', 1)
    const { code, stdout } = await stage.cli('erase', '--user', 'user-1', ...because)
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: 'The data of 3 messages is erased; 1 of them unsent and now discarded.\n',
    })
    expect(JSON.stringify(await everything())).not.toContain('user-1')
    expect(JSON.stringify(await everything())).toContain('user-2')
  })

  it.each([[[]], [['--user', 'u', '--anonymous', 'a']], [['--portal', 'meridian']]])(
    'wants one person, and not %j',
    async (who) => {
      const { code, stderr } = await stage.cli('erase', ...who, ...because)
      expect(code).toBe(2)
      expect(stderr).toContain('Pass --user or --anonymous')
    },
  )
})

describe('sources', () => {
  it('pauses, resumes, retries and disables by portal, and keeps who did it', async () => {
    const done = async (command: string) =>
      (await stage.cli('sources', command, 'meridian', ...because)).stdout
    expect(await done('pause')).toBe('meridian is paused now.\n')
    expect(await done('resume')).toBe('meridian is enabled now.\n')
    expect(await done('retry')).toBe('meridian is enabled now.\n')
    expect(await done('disable')).toBe('meridian is disabled now.\n')
    expect((await audit()).map((entry) => (entry as { action: string }).action)).toEqual([
      ...['pause', 'resume', 'retry now', 'disable'],
    ])
  })

  it('rotates the secret keys, after which the old one is not needed', async () => {
    const next = `k2:${Buffer.alloc(32, 9).toString('base64')}`
    const both = commandLine(stage.scene, { OUTBOX_SECRET_KEYS: `${next},${SECRET_KEYS}` })
    const rotated = await both('sources', 'rotate-secrets', ...because)
    expect(rotated).toMatchObject({ code: 0, stdout: '1 write key encrypted again with k2.\n' })
    const again = await both('sources', 'rotate-secrets', ...because)
    expect(again).toMatchObject({
      code: 0,
      stdout: 'All write keys and warehouse addresses are encrypted with k2.\n',
    })
    await stage.record('meridian', 'user-1', 1)
    const withNext = commandLine(stage.scene, { OUTBOX_SECRET_KEYS: next })
    expect(await withNext('drain')).toMatchObject({ code: 0, stdout: 'Delivered 1 message in 1 request.\n' })
  })

  it('rotates a warehouse’s address too, also where it is all that is left to rotate', async () => {
    const [{ sourceId }] = (await stage.scene.rows(
      `SELECT source_id AS "sourceId" FROM segment_source WHERE portal_id = 'meridian'`,
    )) as [{ sourceId: string }]
    const where = { sourceId, url: stage.scene.database.url, schema: 'meridian_production' }
    await stage.outbox.warehouses.connect(where)
    const next = `k2:${Buffer.alloc(32, 9).toString('base64')}`
    const both = commandLine(stage.scene, { OUTBOX_SECRET_KEYS: `${next},${SECRET_KEYS}` })
    const dry = await both('sources', 'rotate-secrets', '--dry-run')
    expect(dry.stdout).toContain('Encrypt 1 write key and 1 warehouse address again, now under k1,')
    expect((await both('sources', 'rotate-secrets', ...because)).stdout).toContain('1 warehouse address enc')
    await stage.outbox.warehouses.connect(where) // by a process that has only the old key yet
    expect((await both('sources', 'rotate-secrets', ...because)).stdout).toBe(
      '0 write keys and 1 warehouse address encrypted again with k2.\n',
    )
    expect(await stage.scene.rows('SELECT url_secret_id AS id FROM segment_warehouse')).toEqual([
      { id: 'k2' },
    ])
  })

  it('names the write keys that do not decrypt, and ends with 3', async () => {
    const other = commandLine(stage.scene, {
      OUTBOX_SECRET_KEYS: `k2:${Buffer.alloc(32, 9).toString('base64')}`,
    })
    const { code, stderr } = await other('sources', 'rotate-secrets', ...because)
    expect(code).toBe(3)
    expect(stderr).toContain('The write key of meridian does not decrypt with the secret key "k1".')
  })
})

describe('prune', () => {
  it('removes what is past the retention that it is given', async () => {
    await stage.record('meridian', 'user-1', 2)
    await stage.outbox.drain()
    await stage.scene.rows(`UPDATE outbox_message SET settled_at = now() - interval '20 days'`)
    expect((await stage.cli('prune', '--dry-run', '--delivered-days', '30')).stdout).toContain('0 messages')
    const dry = await stage.cli('prune', '--dry-run', '--json')
    expect(parsed(dry)).toEqual({ dryRun: true, expired: { messages: 2, batches: 0 }, report: null })
    expect((await stage.cli('prune', '--yes')).stdout).toBe('Removed 2 messages and 0 batches.\n')
    expect(await statuses()).toEqual([])
  })
})

describe('audit', () => {
  it('shows who did what, and why, page by page', async () => {
    await stage.recordDead('meridian', 'user-1', 1)
    await stage.cli('redrive', '--portal', 'meridian', ...because)
    await stage.cli('sources', 'pause', 'meridian', ...because)
    const { code, stdout } = await stage.cli('audit')
    expect(code).toBe(0)
    expect(stdout).toMatch(/olga +send again +1 .*INC-42: the proxy/)
    const { entries } = parsed<{ entries: { auditId: string; action: string }[] }>(
      await stage.cli('audit', '--limit', '1', '--json'),
    )
    expect(entries).toMatchObject([{ action: 'pause' }])
    const older = await stage.cli('audit', '--before', entries[0]?.auditId ?? '', '--json')
    expect(parsed(older)).toMatchObject({ entries: [{ action: 'send again' }] })
  })
})
