import type { Command } from 'commander'
import type { Finding } from '../operate/inspect/types'
import { safe } from './output/safe-text'
import { Screen } from './output/screen'
import { counted } from './output/words'
import { databaseCommand, exits, type OutputOptions } from './shared/command'
import { type ConnectionOptions, withOutbox } from './shared/connection'
import { ExitCode } from './shared/exit-codes'

interface Options extends ConnectionOptions, OutputOptions {
  all?: boolean
}

const MARKS = { ok: ['good', 'ok'], notice: ['warn', 'notice'], problem: ['bad', 'problem'] } as const

export function addDoctor(program: Command): void {
  databaseCommand(
    program,
    'doctor',
    {
      description: 'Look for what really bites, and say how to mend it. Changes nothing.',
      examples: ['doctor', 'doctor --all', 'doctor --json | jq \'.findings[] | select(.severity != "ok")\''],
      attention: 'it found a problem',
    },
    (command) => command.option('--all', 'also what is well'),
  ).action(exits(doctor))
}

async function doctor(options: Options): Promise<ExitCode> {
  const screen = new Screen()
  const all = await withOutbox(options, ({ outbox }) => outbox.inspect.doctor())
  const secretKeysGiven = Boolean(process.env.OUTBOX_SECRET_KEYS)
  if (!secretKeysGiven) {
    screen.say('OUTBOX_SECRET_KEYS is not set: whether the write keys can be read is not known from here.')
  }
  const findings = all.filter(({ check }) => secretKeysGiven || check !== 'secret-key-missing')
  if (options.json) screen.printJson({ findings })
  else print(screen, findings, options.all === true)
  return findings.some(({ severity }) => severity === 'problem') ? ExitCode.ATTENTION : ExitCode.FINE
}

function print(screen: Screen, findings: readonly Finding[], all: boolean): void {
  const wanted = findings.filter(({ severity }) => all || severity !== 'ok')
  for (const { check, severity, found, matters, remedy } of wanted) {
    const [tone, word] = MARKS[severity]
    screen.print(`${screen.paint(tone, word.padEnd(8))} ${screen.paint('strong', check)}`)
    for (const text of [found, matters, remedy]) {
      if (text) screen.print(screen.wrap(safe(text), 2))
    }
    screen.print()
  }
  const bad = findings.filter(({ severity }) => severity === 'problem').length
  const checked = counted(findings.length, 'check')
  screen.print(bad === 0 ? `${checked}, no problem.` : `${checked}, ${counted(bad, 'problem')}.`)
}
