import { PlanError } from '../errors'
import { type JsonSchema, type Leaf, leavesOf } from './warehouse-columns'
import { columnName, isReservedColumn, isReservedTable, NAME_BYTES, snakeCase } from './warehouse-names'

/** Whose columns are checked: an event of the plan, or the calls that have no event name. */
export interface Recorder {
  /** As errors name it: `"Began Test"`, or `identify`. */
  readonly name: string
  /** As errors call one of its members. */
  readonly member: 'property' | 'trait'
  /** Whether it may be left open what it holds: a place without a type, or an object of any names. */
  readonly mayBeOpen: boolean
}

/**
 * Throws PlanError where a Segment warehouse would silently drop, alter or mix what the events of a plan carry:
 * events without a table of their own.
 *
 * Facts from Segment's documentation, "Warehouse Schemas"; the limit of names from PostgreSQL's.
 */
export function checkTables(events: readonly string[]): void {
  const taken = new Map<string, string>()
  for (const event of events) {
    const table = snakeCase(event)
    checkName(`The event "${event}"`, table, 'table')
    if (isReservedTable(table)) {
      throw new PlanError(
        `The event "${event}" becomes the warehouse table "${table}", which Segment has for itself.`,
        'Its rows would be mixed with Segment’s own, or not arrive.',
        'Name it as an object and an action, like "Submitted Test".',
      )
    }
    const other = taken.get(table)
    if (other !== undefined) {
      throw new PlanError(
        `The events "${other}" and "${event}" become the same warehouse table, "${table}".`,
        'Their rows would be mixed, and columns of one name share a type.',
        'Rename one of them, or make them one event with a property that tells them apart.',
      )
    }
    taken.set(table, event)
  }
}

/** Throws PlanError where a warehouse would silently drop, alter or mix the columns of one event or kind of call. */
export function checkColumns(recorder: Recorder, schema: JsonSchema): void {
  const columns = new Map<string, { path: string; types: Set<string> }>()
  for (const leaf of leavesOf(schema)) {
    checkShape(recorder, leaf)
    if (leaf.holds === 'open' || leaf.holds === 'anything') continue
    const [path, column] = [leaf.path.join('.'), columnName(leaf.path)]
    const called = subject(recorder, path)
    checkName(called, column, 'column')
    checkReserved(recorder, leaf.path, called, column)
    const known = columns.get(column) ?? { path, types: new Set() }
    columns.set(column, known)
    if (known.path !== path) {
      throw new PlanError(
        `${called} and "${known.path}" become the same warehouse column, "${column}".`,
        'One would overwrite the other, row by row.',
        'Rename one of them.',
      )
    }
    // A whole number fits a column of fractions.
    known.types.add(leaf.holds === 'integer' ? 'float' : leaf.holds)
    if (known.types.size > 1) {
      throw new PlanError(
        `${called} may be of several types: ${[...known.types].join(', ')}.`,
        `The first value that arrives fixes the type of the warehouse column "${column}"; later values of another type are lost.`,
        'Give each type a property of its own, or send text: `.transform(String).pipe(z.string())`.',
      )
    }
  }
}

/** What has no columns, or more than can be known. */
function checkShape(recorder: Recorder, { path, holds }: Leaf): void {
  const called = subject(recorder, path.join('.'))
  if (holds === 'array') {
    throw new PlanError(
      `${called} is an array.`,
      `A warehouse keeps it as text in "${columnName(path)}", cut at 512 characters: no query can join on its elements.`,
      'Record an event for each element, or a count, or join the elements to a text yourself.',
    )
  }
  if (holds === 'endless') {
    throw new PlanError(
      `${called} contains itself.`,
      'A warehouse flattens objects into columns, so each further level would be new columns without end.',
      'Name the levels that are needed.',
    )
  }
  if (recorder.mayBeOpen) return
  if (holds === 'open') {
    throw new PlanError(
      `${called} is an object of any names.`,
      'Each name becomes a warehouse column of its own, and Segment stops adding columns where they are unbounded.',
      'List its names in `z.strictObject({ … })`, or send an entry as two properties, its name and its value.',
    )
  }
  if (holds === 'anything') {
    throw new PlanError(
      `${called} may hold anything.`,
      `The first value that arrives fixes the type of the warehouse column "${columnName(path)}"; later values of another type are lost.`,
      'Give it a type. One that zod cannot tell is vouched for by `.meta({ type: "string" })`.',
    )
  }
}

function checkReserved(recorder: Recorder, path: readonly string[], called: string, column: string): void {
  const groupId = recorder.name === 'group' && column === 'group_id'
  const context = column.startsWith('context_')
  if (!isReservedColumn(column) && !groupId && !context) return
  const whose = context ? 'Segment gives to the fields of `context`' : 'Segment reserves'
  throw new PlanError(
    `${called} becomes the warehouse column "${column}", which ${whose}.`,
    'Segment’s warehouses discard such a property without an error.',
    `Rename it, for example to "${recorder.name.replaceAll('"', '').split(' ').at(-1)?.toLowerCase()}_${snakeCase(path.at(-1) ?? '')}".`,
  )
}

function checkName(called: string, name: string, kind: 'table' | 'column'): void {
  if (/^_*$/.test(name)) {
    throw new PlanError(
      `${called} has no ASCII letter or digit in its name.`,
      `A warehouse drops all other characters, and nothing is left to name its ${kind} by.`,
      'Name it in ASCII letters.',
    )
  }
  if (name.length > NAME_BYTES) {
    throw new PlanError(
      `${called} becomes the warehouse ${kind} "${name}", which is ${name.length} bytes long.`,
      `PostgreSQL cuts names at ${NAME_BYTES} bytes: it would be "${name.slice(0, NAME_BYTES)}", and the same as any other that begins so.`,
      'Shorten it.',
    )
  }
}

function subject({ member, name }: Recorder, path: string): string {
  return path === '' ? `What ${name} carries` : `The ${member} "${path}" of ${name}`
}
