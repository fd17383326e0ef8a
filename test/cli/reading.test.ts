import type {
  Finding,
  MessageDetail,
  MessageRow,
  Overview,
  SourceState,
} from '../../src/operate/inspect/types'
import { commandLine, parsed } from './support/cli'
import { createStage, type Stage } from './support/stage'

interface Page {
  messages: MessageRow[]
  next: string | null
}

let stage: Stage
let dead: string[]
let uncertain: string[]
let diverted: string

beforeAll(async () => {
  stage = await createStage(['meridian', 'northwind', 'idle'])
  await stage.record('northwind', 'user-1', 3)
  await stage.outbox.drain()
  dead = await stage.recordDead('meridian', 'user-2', 2)
  uncertain = await stage.recordUncertain('meridian', 'user-3', 1)
  diverted = await stage.recordDiverted('meridian', 'user-4')
})
afterAll(() => stage.scene.end())

describe('status', () => {
  it('tells of the backlog, the failures and what to run next, and ends with 3', async () => {
    const { code, stdout, stderr } = await stage.cli('status')
    expect({ code, stderr }).toEqual({ code: 3, stderr: '' })
    expect(stdout).toContain('3 dead, 1 uncertain')
    expect(stdout).toContain('`synap-outbox dead`')
  })

  it('has one document for scripts', async () => {
    const document = parsed<{ overview: Overview; troubled: SourceState[]; attention: string[] }>(
      await stage.cli('status', '--json'),
    )
    expect(Object.keys(document)).toEqual(['overview', 'troubled', 'attention'])
    expect(document.overview).toMatchObject({ pending: 0, dead: 3, uncertain: 1, sources: { enabled: 3 } })
    expect(document.overview.at).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/)
  })

  it('ends with 0 where all is well', async () => {
    const well = await createStage()
    expect(await well.cli('status')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('All is well.'),
    })
    expect(await well.cli('dead')).toEqual({
      code: 0,
      stdout: '',
      stderr: 'None is dead, and none uncertain.\n',
    })
    await well.scene.end()
  })

  it('says that messages wait while nobody sends them', async () => {
    const waiting = await createStage()
    await waiting.record('meridian', 'user-1', 2)
    const { code, stdout } = await waiting.cli('status')
    expect(code).toBe(3)
    expect(stdout).toMatch(/2 messages, the oldest for/)
    expect(stdout).toContain('no dispatcher is alive')
    await waiting.scene.end()
  })
})

describe('messages', () => {
  it('lists whole ids, newest first, as text that a pipe can take apart', async () => {
    const { code, stdout, stderr } = await stage.cli('messages')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const [heading = '', ...rows] = stdout.trimEnd().split('\n')
    expect(heading.split(/ {2,}/).slice(0, 4)).toEqual(['MESSAGE', 'RECORDED', 'EVENT', 'STATUS'])
    expect(rows).toHaveLength(7)
    expect(rows[0]).toContain(diverted)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none is what it is about
    expect(stdout).not.toMatch(/[\x1b─│]/)
  })

  it.each([
    [['--status', 'uncertain'], 1],
    [['--portal', 'northwind'], 3],
    [['--user', 'user-2', '--event', 'Began Test'], 2],
    [['--user', 'user-2', '--type', 'page'], 0],
    [['--from', '1h'], 7],
    [['--to', '1h'], 0],
    [['--from', '2020-01-01', '--to', '2020-01-02T10:00'], 0],
  ])('selects by %j', async (args, found) => {
    const { messages } = parsed<{ messages: MessageRow[] }>(await stage.cli('messages', '--json', ...args))
    expect(messages).toHaveLength(found)
  })

  it('goes on where a page ended', async () => {
    const pages: MessageRow[][] = []
    for (let after: string[] | undefined = []; after; ) {
      const page: Page = parsed<Page>(await stage.cli('messages', '--json', '--limit', '3', ...after))
      pages.push([...page.messages])
      after = page.next === null ? undefined : ['--after', page.next]
    }
    expect(pages.map((page) => page.length)).toEqual([3, 3, 1])
    expect(new Set(pages.flat().map(({ messageId }) => messageId)).size).toBe(7)
  })
})

describe('why', () => {
  it('says why, what next with the command to run, and what happened when', async () => {
    const [id = ''] = dead
    const { code, stdout, stderr } = await stage.cli('why', id)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^Began Test of user-2, portal meridian: dead\n/)
    expect(stdout).toContain('Next: ')
    expect(stdout).toContain(`    synap-outbox redrive --id ${id} --reason '…'\n`)
    expect(stdout).toContain('Recorded, in the transaction of the business change.')
    expect(stdout).not.toContain('"properties"')
    expect((await stage.cli('why', id, '--payload')).stdout).toContain('"testId": "test-1"')
  })

  it('offers both decisions for an uncertain one, and never to send again what never could be', async () => {
    const [id = ''] = uncertain
    const { stdout } = await stage.cli('why', id)
    expect(stdout).toContain(`synap-outbox resolve --id ${id} --send-again`)
    expect(stdout).toContain(`synap-outbox resolve --id ${id} --mark-delivered`)
    const { commands } = parsed<{ commands: string[] }>(await stage.cli('why', diverted, '--json'))
    expect(commands).toEqual([`synap-outbox discard --id ${diverted} --reason '…'`])
  })

  it('takes the beginning of an id, in any case, with dashes or without', async () => {
    const [id = ''] = dead
    for (const beginning of [
      id.slice(0, 8),
      id.slice(0, 13).toUpperCase(),
      id.replaceAll('-', '').slice(0, 12),
    ]) {
      const { message } = parsed<{ message: MessageDetail }>(await stage.cli('why', beginning, '--json'))
      expect(message.messageId).toBe(id)
    }
  })

  it('reads the primary key between two ids, and not the table, for a beginning', async () => {
    const plan = await stage.scene.dataSource.transaction(async (tx) => {
      await tx.query('SET LOCAL enable_seqscan = off')
      return tx.query(
        `EXPLAIN SELECT message_id FROM outbox_message WHERE message_id BETWEEN $1::uuid AND $2::uuid`,
        ['aaaaaaaa'.padEnd(32, '0'), 'aaaaaaaa'.padEnd(32, 'f')],
      )
    })
    expect(JSON.stringify(plan)).toContain('outbox_message_pkey')
  })

  it('names those that begin alike', async () => {
    const twins = ['11111111-0000-7000-8000-000000000001', '11111111-0000-7000-8000-000000000002']
    const recorded = await stage.record('idle', 'twin', 2)
    for (const [i, twin] of twins.entries()) {
      await stage.scene.rows('UPDATE outbox_message SET message_id = $1 WHERE message_id = $2', [
        twin,
        recorded[i],
      ])
    }
    expect(await stage.cli('why', '11111111')).toEqual({
      code: 2,
      stdout: '',
      stderr: `synap-outbox: Several messages begin so: ${twins.join(', ')}. Give more of it.\n`,
    })
    await stage.scene.rows('DELETE FROM outbox_message WHERE message_id = ANY ($1)', [twins])
  })

  it.each([
    ['1234567', 2, 'first 8 hexadecimal digits'],
    ["' OR true --", 2, 'That is no messageId.'],
    ['00000000', 1, 'There is no message whose id begins with 00000000.'],
    ['00000000-0000-4000-8000-000000000000', 1, 'There is no message 00000000-0000'],
  ])('ends with %j in one sentence', async (id, expected, words) => {
    const { code, stdout, stderr } = await stage.cli('why', id)
    expect({ code, stdout }).toEqual({ code: expected, stdout: '' })
    expect(stderr).toContain(words)
  })
})

describe('dead', () => {
  it('groups by cause, and ends with 3', async () => {
    const answer = await stage.cli('dead', '--json')
    expect(answer.code).toBe(3)
    const { groups } = parsed<{ groups: { status: string; messages: number; example: string }[] }>(answer)
    expect(groups.map(({ status, messages }) => [status, messages]).sort()).toEqual([
      ['dead', 1],
      ['dead', 2],
      ['uncertain', 1],
    ])
    expect((await stage.cli('dead')).stderr).toMatch(/synap-outbox why [0-9a-f-]{36}/)
    expect(await stage.cli('dead', '--portal', 'northwind')).toMatchObject({ code: 0 })
  })
})

describe('sources', () => {
  it('lists the portals, says all of one, and never a write key', async () => {
    const list = await stage.cli('sources')
    for (const portal of ['meridian', 'northwind', 'idle']) expect(list.stdout).toContain(portal)
    const { code, stdout } = await stage.cli('sources', 'northwind')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^Portal northwind: healthy\n/)
    expect(stdout).toMatch(/write key +ends in .{4}, known/)
    const [{ id } = { id: '' }] = await stage.scene.rows<{ id: string }>(
      `SELECT source_id AS id FROM segment_source WHERE portal_id = 'northwind'`,
    )
    expect((await stage.cli('sources', id)).stdout).toMatch(/^Portal northwind: healthy\n/)
  })

  it('says that there is none of that name', async () => {
    expect(await stage.cli('sources', 'puase')).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'synap-outbox: No source and no portal with one is named puase. `synap-outbox sources` lists them; ' +
        '`synap-outbox sources --help` shows what can be done.\n',
    })
  })
})

describe('doctor', () => {
  it('says what it found with the remedy, and ends with 3 where there is a problem', async () => {
    const answer = await stage.cli('doctor', '--json')
    const { findings } = parsed<{ findings: Finding[] }>(answer)
    expect(findings.length).toBeGreaterThan(5)
    expect(answer.code).toBe(findings.some(({ severity }) => severity === 'problem') ? 3 : 0)
    const { stdout } = await stage.cli('doctor', '--all')
    for (const { check, remedy } of findings) {
      expect(stdout).toContain(check)
      expect(stdout).toContain(remedy)
    }
  })

  it('judges no secret keys that it was not given', async () => {
    const { stdout, stderr } = await commandLine(stage.scene, { OUTBOX_SECRET_KEYS: '' })('doctor', '--all')
    expect(stderr).toContain('OUTBOX_SECRET_KEYS is not set')
    expect(stdout).not.toContain('secret-key-missing')
  })
})
