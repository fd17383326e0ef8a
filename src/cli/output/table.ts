import Table from 'cli-table3'
import { displayWidth } from './display-width'
import { safe } from './safe-text'
import type { Screen, Tone } from './screen'

export interface Column<Row> {
  readonly title: string
  /** The cell's text; it is made safe here, so it may be a payload's. */
  readonly cell: (row: Row) => string
  /** A shorter form of it, for when there is too little room. */
  readonly short?: (row: Row) => string
  readonly tone?: (row: Row) => Tone
  readonly right?: boolean
  /** Columns it needs at least; what is longer is cut. Default: all of it. */
  readonly least?: number
  /** The highest is left out first where there is too little room. Default 0: never. */
  readonly dispensable?: number
  /** Running text, at most one column, the last: broken into lines, and put below its row where there is no room. */
  readonly sentence?: boolean
}

const GAP = '  '
/** A sentence in a narrower column is hard to read. */
const SENTENCE_WIDTH = 44
const NO_LINES = Object.fromEntries(
  [
    ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
    ...['left', 'left-mid', 'right', 'right-mid', 'mid', 'mid-mid'],
  ].map((name) => [name, '']),
)

/**
 * Prints rows as aligned columns. On a terminal they keep to its width, and a last line says what was left out for it.
 * In a pipe every cell is whole, and there is nothing but text.
 */
export function printTable<Row>(screen: Screen, columns: readonly Column<Row>[], rows: readonly Row[]): void {
  const { shown, below, hidden } = layOut(columns, rows, screen.width ?? Number.POSITIVE_INFINITY)
  const drawn = new Table({
    head: shown.map(({ column }) => screen.paint('dim', column.title.toUpperCase())),
    colAligns: shown.map(({ column }) => (column.right ? 'right' : 'left')),
    colWidths: shown.map(({ width }) => width),
    chars: { ...NO_LINES, middle: GAP, ...(screen.fancy && { mid: '─', 'mid-mid': '──' }) },
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 0 },
  })
  for (const row of rows) drawn.push(shown.map(({ column, width }) => drawCell(screen, column, width, row)))
  const lines = drawn.toString().split('\n')
  const heading = lines.length - rows.length // a row is one line, where sentences are below
  for (const [i, line] of lines.entries()) {
    screen.print(line.trimEnd())
    const row = rows[i - heading]
    const sentence = row && below ? below.cell(row) : ''
    if (sentence) screen.print(screen.wrap(safe(sentence), 2))
  }
  if (hidden.length === 0) return
  const names = hidden.map(({ title }) => title.toLowerCase()).join(', ')
  screen.say(screen.paint('dim', screen.wrap(`No room for: ${names}. Widen the terminal, or use --json.`)))
}

function drawCell<Row>(screen: Screen, column: Column<Row>, width: number, row: Row) {
  const whole = safe(column.cell(row))
  const text = displayWidth(whole) > width && column.short ? safe(column.short(row)) : whole
  const tone = column.tone?.(row)
  return { content: tone ? screen.paint(tone, text) : text, wordWrap: column.sentence === true }
}

interface Layout<Row> {
  readonly shown: readonly { column: Column<Row>; width: number }[]
  /** The column whose cells go below their rows. */
  readonly below: Column<Row> | undefined
  readonly hidden: readonly Column<Row>[]
}

/** Puts sentences below, then leaves out the most dispensable columns, until the rest fits; and shares out the room. */
function layOut<Row>(columns: readonly Column<Row>[], rows: readonly Row[], room: number): Layout<Row> {
  const natural = new Map(columns.map((column) => [column, widest(column, rows)]))
  const wanted = (column: Column<Row>) => natural.get(column) as number
  const least = (column: Column<Row>) =>
    Math.min((column.sentence ? SENTENCE_WIDTH : column.least) ?? Number.POSITIVE_INFINITY, wanted(column))
  const needs = (some: readonly Column<Row>[]) =>
    some.reduce((sum, column) => sum + least(column) + GAP.length, -GAP.length)

  const below = needs(columns) > room ? columns.find(({ sentence }) => sentence) : undefined
  let kept = columns.filter((column) => column !== below)
  for (let most = 1; needs(kept) > room && most > 0; ) {
    most = Math.max(...kept.map(({ dispensable = 0 }) => dispensable))
    if (most > 0) kept = kept.filter(({ dispensable }) => dispensable !== most)
  }
  let spare = room - needs(kept)
  const shown = kept.map((column) => {
    const more = Math.max(0, Math.min(spare, wanted(column) - least(column)))
    spare -= more
    return { column, width: least(column) + more }
  })
  const hidden = columns.filter((column) => column !== below && !kept.includes(column))
  return { shown, below, hidden }
}

function widest<Row>({ cell, title }: Column<Row>, rows: readonly Row[]): number {
  return rows.reduce((most, row) => Math.max(most, displayWidth(safe(cell(row)))), title.length)
}
