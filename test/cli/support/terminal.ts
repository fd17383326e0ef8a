import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { MAIN } from './cli'

export interface TerminalOptions {
  env: NodeJS.ProcessEnv
  columns?: number
  /** What somebody types, each after the screen shows the text before it; `\x04` ends the input, `\x03` is Ctrl-C. */
  typing?: [after: string, keys: string][]
}

export interface Seen {
  code: number | null
  /** All that the screen was sent: on a terminal stdout and stderr are one. */
  screen: string
}

export type Terminal = (args: readonly string[], options: TerminalOptions) => Promise<Seen>

/** A true pseudo-terminal by util-linux's `script`. Undefined where the machine has none. */
const pseudoTerminal: Terminal | undefined = /util-linux/.test(
  spawnSync('script', ['--version']).stdout?.toString() ?? '',
)
  ? (args, options) => {
      const command = [process.execPath, MAIN, ...args]
        .map((word) => `'${word.replaceAll("'", `'\\''`)}'`)
        .join(' ')
      const columns = `stty cols ${options.columns ?? 100} rows 40`
      return look('script', ['-qefc', `${columns}; exec ${command}`, '/dev/null'], options)
    }
  : undefined

/** Pipes that say they are a terminal: for what a program decides by that, on a machine without `script`. */
const pretended: Terminal = (args, options) =>
  look(process.execPath, ['-r', path.join(__dirname, 'pretend-terminal.cjs'), MAIN, ...args], options)

export const terminal: Terminal = pseudoTerminal ?? pretended

async function look(
  program: string,
  args: string[],
  { env, columns = 100, typing = [] }: TerminalOptions,
): Promise<Seen> {
  const child = spawn(program, args, {
    env: {
      ...process.env,
      NO_COLOR: undefined,
      FORCE_COLOR: undefined,
      CI: undefined, // Node takes the terminals of CI services for colourless
      TERM: 'xterm-256color',
      COLUMNS: `${columns}`,
      SHELL: '/bin/sh',
      ...env,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const seen: Seen = { code: null, screen: '' }
  const left = [...typing]
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      seen.screen += text
      const [next] = left
      if (next === undefined || !seen.screen.includes(next[0])) return
      left.shift()
      if (next[1] === END) child.stdin.end()
      else child.stdin.write(next[1])
    })
  }
  const [code] = await once(child, 'close')
  child.stdin.destroy()
  seen.code = code
  seen.screen = seen.screen.replaceAll('\r\n', '\n')
  return seen
}

/** The end of the input. */
export const END = '\x04'
