import { z } from 'zod'
import type { Plan } from '../define-plan'
import { type JsonSchema, leavesOf } from '../warehouse-columns'
import { columnName, snakeCase } from '../warehouse-names'
import { naturalKeyOf, type PlannedCall, plannedCalls } from './planned-calls'

/** The plan for people: `planTable`, then each event and call with its properties and their warehouse columns. */
export function planMarkdown(plan: Plan): string {
  return [planTable(plan), ...plannedCalls(plan).map((call) => section(plan, call))].join('\n\n')
}

/** One row for each event: its name, when it is recorded, and its natural key. */
export function planTable(plan: Plan): string {
  const rows = plannedCalls(plan).flatMap(({ name, schema, version, definition }) => {
    if (!definition) return []
    const notes = [
      ...(definition.detailed ? ['detailed'] : []),
      ...(version > 1 ? [`version ${version}`] : []),
    ]
    const called = notes.length > 0 ? `${name} (${notes.join(', ')})` : name
    return [[called, schema.description ?? '', naturalKeyOf(definition).join(', ')]]
  })
  return table(['Event', 'Recorded when', 'Natural key'], rows)
}

function section(plan: Plan, { type, name, schema, version, definition }: PlannedCall): string {
  const json = z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' })
  const rows = new Map<string, string[]>()
  let open = false
  for (const { path, holds } of leavesOf(json)) {
    open ||= path.length === 0
    if (path.length === 0) continue
    const { meaning, required } = memberOf(json, path)
    const row = [`\`${path.join('.')}\``, `\`${columnName(path)}\``, holds, required ? 'yes' : '', meaning]
    rows.set(path.join('.'), rows.get(path.join('.')) ?? row)
  }
  const warehouse = definition
    ? `Warehouse table \`${snakeCase(name)}\`, version ${version}, schema \`${plan.schemaHashes.get(name)}\`.`
    : `Warehouse: ${tablesOf[type as keyof typeof tablesOf]}.`
  const head = ['Property', 'Column', 'Type', 'Always', 'Meaning']
  const more = open && 'Others may come along, each as a column of its own.'
  const text = [schema.description, warehouse, more].filter(Boolean).join(' ')
  return [`### ${cell(name)}`, text, table(head, [...rows.values()])].join('\n\n')
}

/** Source: Segment documentation, "Warehouse Schemas", "Warehouse tables". */
const tablesOf = { identify: '`identifies`, `users`', group: '`groups`, `accounts`', page: '`pages`' }

/** What the schema says of a member beside its type. */
function memberOf(schema: JsonSchema, path: readonly string[]): { meaning: string; required: boolean } {
  let [at, required]: [JsonSchema | undefined, boolean] = [schema, true]
  for (const name of path) {
    const holder: JsonSchema | undefined = [at, ...(at?.allOf ?? [])].find(
      (part): part is JsonSchema => typeof part === 'object' && part.properties?.[name] !== undefined,
    )
    required &&= holder?.required?.includes(name) ?? false
    at = holder?.properties?.[name] as JsonSchema | undefined
  }
  const values = at?.enum?.map((value) => `\`${value}\``).join(', ')
  return { meaning: [at?.description, values].filter(Boolean).join(': '), required }
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n')
}

/** Text that stays inside its cell. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replace(/\s+/g, ' ')
}
