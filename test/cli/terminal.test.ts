import { stripVTControlCharacters } from 'node:util'
import { environment } from './support/cli'
import { createStage, type Stage } from './support/stage'
import { END, type Terminal, terminal } from './support/terminal'

let stage: Stage

beforeAll(async () => {
  stage = await createStage(['meridian', 'st-georges-medical-school-london'])
  await stage.record('meridian', 'user-1', 2)
  await stage.outbox.drain()
  await stage.recordDead('meridian', 'user-2', 2)
  await stage.recordUncertain('meridian', 'user-3', 1)
  await stage.recordDiverted('st-georges-medical-school-london', '受験者-山田太郎')
})
afterAll(() => stage.scene.end())

// biome-ignore lint/suspicious/noControlCharactersInRegex: what is looked for
const FANCY = /[\x1b─]/
const widest = (screen: string) =>
  Math.max(
    ...stripVTControlCharacters(screen)
      .split('\n')
      .map((line) => cells(line)),
  )
/** East Asian letters are two columns wide. */
const cells = (line: string) => [...line].reduce((sum, letter) => sum + (letter > '\u2fff' ? 2 : 1), 0)

describe('in a terminal', () => {
  const look = (args: string[], options: Partial<Parameters<Terminal>[1]> = {}) =>
    terminal(args, { ...options, env: { ...environment(stage.scene), ...options.env } })

  it.each([60, 80, 160])(
    'keeps tables within %d columns',
    async (columns) => {
      for (const command of [['messages'], ['dead'], ['sources'], ['status']]) {
        const { screen } = await look(command, { columns })
        const rows = screen.split('\n').filter((line) => !line.includes('synap-outbox')) // commands stay whole
        expect([command, widest(rows.join('\n')) <= columns]).toEqual([command, true])
        expect(rows.length).toBeGreaterThan(3)
      }
    },
    120_000,
  )

  it('shows more where there is more room, and says what it leaves out', async () => {
    const narrow = await look(['messages'], { columns: 60 })
    expect(narrow.screen).toContain('No room for: ')
    expect(narrow.screen).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-/)
    const wide = await look(['messages', '--user', 'user-2'], { columns: 160 })
    expect(wide.screen).not.toContain('No room for')
    expect(wide.screen).toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/)
  })

  it('has colours and lines, unless NO_COLOR or the terminal is against them', async () => {
    expect((await look(['dead'])).screen).toMatch(FANCY)
    for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }]) {
      expect((await look(['dead'], { env })).screen).not.toMatch(FANCY)
    }
  })

  it.each([
    ['no', 'n\n'],
    ['an empty line', '\n'],
    ['the end of the input', END],
    ['Ctrl-C', '\x03'],
  ])('takes %s for a no', async (_answer, keys) => {
    const { code, screen } = await look(['discard', '--portal', 'meridian', '--reason', 'x'], {
      typing: [['[y/N]', keys]],
    })
    expect(screen).toContain('Discard 3 dead or uncertain messages? [y/N]')
    expect(screen).toContain('\nsynap-outbox: Nothing was changed.')
    expect(code).toBe(1)
    expect(await stage.scene.rows('SELECT FROM outbox_audit')).toEqual([])
  })

  it('asks for the reason where none is given, and does what is agreed to', async () => {
    const [id = ''] = await stage.recordDead('meridian', 'user-5', 1)
    const { code, screen } = await look(['redrive', '--id', id], {
      typing: [
        ['[y/N]', 'yes\n'],
        ['Why?', 'INC-42: it was late\n'],
      ],
    })
    expect(screen).toContain('Send 1 message again? [y/N]')
    expect(screen).toContain('1 message is pending again.')
    expect(code).toBe(0)
    expect(await stage.scene.rows('SELECT reason, messages FROM outbox_audit')).toEqual([
      { reason: 'INC-42: it was late', messages: 1 },
    ])
    await stage.scene.rows('DELETE FROM outbox_audit')
    await stage.scene.rows('DELETE FROM outbox_message WHERE message_id = $1', [id])
  })

  it('shows how far long work is, on stderr, and takes it away again', async () => {
    const [id = ''] = await stage.recordDead('meridian', 'user-6', 1)
    const { screen } = await look(['discard', '--id', id, '--reason', 'x', '--yes', '--json'])
    expect(screen).toMatch(/Discarding #+ 1 of 1/)
    expect(JSON.parse(screen.slice(screen.indexOf('{')))).toMatchObject({ report: { discarded: 1 } })
    await stage.scene.rows('DELETE FROM outbox_audit')
  })
})
