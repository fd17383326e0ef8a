import { environment, parsed } from './support/cli'
import { createStage, type Stage } from './support/stage'
import { terminal } from './support/terminal'

/** A terminal obeys these: escape sequences in 7 and 8 bits, a bell, overprinting, text that reads backwards. */
const HOSTILE = '\x1b[2J\x1b]0;owned\x07\x9b31m\r\b\x7f\u202eevil\u2066\u200f\u2028'
// biome-ignore lint/suspicious/noControlCharactersInRegex: what is looked for
const STEERS = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/

let stage: Stage
let id: string

beforeAll(async () => {
  stage = await createStage()
  const recorded = await stage.recordDead('meridian', `user-${HOSTILE}`, 1)
  id = recorded[0] as string
  await stage.scene.rows('UPDATE outbox_message SET reason = $1, portal_id = $1, event = $1', [HOSTILE])
  await stage.scene.rows('UPDATE source_delivery SET last_error = $1, failures = 3', [HOSTILE])
  await stage.scene.rows('UPDATE segment_source SET portal_id = $1', [HOSTILE])
  await stage.scene.rows(
    `INSERT INTO outbox_audit (messages, actor, action, reason, selection) VALUES (1, $1, 'discard', $1, $2)`,
    [HOSTILE, JSON.stringify({ portalId: HOSTILE })],
  )
})
afterAll(() => stage.scene.end())

const COMMANDS = () => [
  ['status'],
  ['messages'],
  ['dead'],
  ['sources'],
  ['sources', HOSTILE],
  ['audit'],
  ['why', id],
  ['why', id, '--payload'],
  ['doctor', '--all'],
  ['sources', 'pause', HOSTILE, '--dry-run'],
  ['sources', HOSTILE + HOSTILE],
  ['messages', '--after', HOSTILE],
]

it('never steers the terminal, whatever a payload, a portal or a server says', async () => {
  for (const command of COMMANDS()) {
    const { stdout, stderr } = await stage.cli(...command)
    expect([command, STEERS.exec(stdout + stderr)]).toEqual([command, null])
  }
}, 120_000)

it('keeps the text whole in --json, escaped', async () => {
  for (const command of COMMANDS().slice(0, 7)) {
    const answer = await stage.cli(...command, '--json')
    expect([command, STEERS.exec(answer.stdout)]).toEqual([command, null])
    parsed(answer)
  }
  const { messages } = parsed<{ messages: { portalId: string }[] }>(await stage.cli('messages', '--json'))
  expect(messages[0]?.portalId).toBe(HOSTILE)
}, 120_000)

it('emits no sequence of theirs in a terminal', async () => {
  for (const command of [['messages'], ['dead'], ['why', id]]) {
    const { screen } = await terminal(command, { env: environment(stage.scene), columns: 60 })
    for (const sequence of ['\x9b', '\x1b]', '\x1b[2J', '\x07', '\u202e'])
      expect(screen).not.toContain(sequence)
    expect(screen).toContain('\\u001b[2J')
  }
})
