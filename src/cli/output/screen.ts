import { styleText } from 'node:util'
import { displayWidth } from './display-width'
import { safeJson } from './safe-text'

export type Tone = 'good' | 'bad' | 'warn' | 'dim' | 'strong'

const STYLES = { good: 'green', bad: 'red', warn: 'yellow', dim: 'dim', strong: 'bold' } as const

/** Columns of a terminal that does not say how many it has. */
const USUAL_WIDTH = 80
/** Below this a table is no table: the terminal wraps the lines then. */
const LEAST_WIDTH = 30

/** Where the output goes, and what may be done there. Data goes to stdout, everything else to stderr. */
export class Screen {
  /** Columns to stay within; undefined where nobody looks at columns, as in a pipe. */
  readonly width: number | undefined
  /** Colours and lines: on a terminal that has them and whose user wants them (NO_COLOR, TERM=dumb). */
  readonly fancy: boolean

  constructor(stdout = process.stdout) {
    this.width = stdout.isTTY ? Math.max(stdout.columns || USUAL_WIDTH, LEAST_WIDTH) : undefined
    this.fancy = Boolean(stdout.isTTY) && stdout.hasColors()
  }

  /** Data. */
  print(text = ''): void {
    process.stdout.write(`${text}\n`)
  }

  /** The one document of `--json`. */
  printJson(value: unknown): void {
    process.stdout.write(`${safeJson(value)}\n`)
  }

  /** A message to whoever runs the command. */
  say(text: string): void {
    process.stderr.write(`${text}\n`)
  }

  paint(tone: Tone, text: string): string {
    return this.fancy ? styleText(STYLES[tone], text, { validateStream: false }) : text
  }

  /** Running text, broken to stay within the width, every line indented. In a pipe it is one line. */
  wrap(text: string, indent = 0, hanging = indent): string {
    const width = this.width ?? Number.POSITIVE_INFINITY
    const lines: string[] = []
    let line = ' '.repeat(indent)
    let filled = indent
    let empty = true
    for (const word of text.split(' ')) {
      const more = displayWidth(word)
      if (!empty && filled + 1 + more > width) {
        lines.push(line)
        line = ' '.repeat(hanging)
        filled = hanging
        empty = true
      }
      line += empty ? word : ` ${word}`
      filled += empty ? more : 1 + more
      empty = false
    }
    return [...lines, line].join('\n')
  }
}
