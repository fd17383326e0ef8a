import fs from 'node:fs'
import path from 'node:path'
import type { OutboxEvents } from 'synap-outbox'
import { parse } from 'yaml'
import { METRICS } from '../../src/telemetry/instruments'
import { prometheusNames } from './prometheus'

const read = (name: string) => fs.readFileSync(path.resolve(__dirname, '../../docs', name), 'utf8')
const document = read('telemetry.md')
/** The cells of a table's rows, by its heading. */
const table = (heading: string): string[][] => {
  const [, rows = ''] = document.split(`\n| ${heading} |`)[1]?.split(/\|\n((?:\|.*\n)+)/) ?? []
  return rows
    .trim()
    .split('\n')
    .slice(1)
    .map((row) =>
      row
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    )
}
const names = (cell = '') => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name)

/** Every event and field. It does not compile when one is missing or too many, and the table has to be the same. */
const events: { [E in keyof OutboxEvents]: { [F in keyof Required<OutboxEvents[E]>]: true } } = {
  recorded: { sourceId: true, portalId: true, messages: true },
  diverted: { portalId: true, messageId: true, event: true, problems: true },
  attempt: {
    sourceId: true,
    portalId: true,
    batchId: true,
    messages: true,
    attempt: true,
    verdict: true,
    status: true,
    reason: true,
    ms: true,
  },
  settled: { sourceId: true, portalId: true, batchId: true, messages: true, outcome: true, reason: true },
  resting: { sourceId: true, portalId: true, failures: true, delayMs: true, reason: true },
  leaseLost: { sourceId: true, portalId: true, token: true },
  operated: { action: true, messages: true, actor: true, reason: true },
  canaryLost: { sourceId: true, portalId: true, sentAt: true },
  pruned: { messages: true, batches: true },
  error: { error: true, during: true },
}

it('documents every event with its fields', () => {
  const documented = table('Event').map(([event, fields]) => [names(event)[0], names(fields)])
  expect(documented).toEqual(Object.entries(events).map(([event, fields]) => [event, Object.keys(fields)]))
})

it('documents every metric with its kind, unit and meaning', () => {
  const documented = table('Metric').map(([name, kind, unit, , description]) => ({
    name: names(name)[0],
    kind,
    unit: names(unit)[0],
    description,
  }))
  expect(documented).toEqual(
    Object.values(METRICS).map(({ name, kind, unit, description }) => ({ name, kind, unit, description })),
  )
})

/** Labels are the attributes of the metrics table, and `source` stands for two. */
const labels = new Set(
  [
    'synap_outbox.source.id',
    'synap_outbox.portal.id',
    ...table('Metric').flatMap((row) => names(row[3])),
  ].map((name) => name?.replaceAll('.', '_')),
)
const known = new Set(Object.values(METRICS).flatMap(prometheusNames))
const mentioned = (text: string) => new Set(text.match(/\bsynap_outbox_\w+/g) ?? [])
const expressions = (value: unknown): string[] =>
  typeof value !== 'object' || value === null
    ? []
    : Object.entries(value).flatMap(([key, member]) =>
        key === 'expr' ? [String(member)] : expressions(member),
      )

describe.each([
  ['grafana/synap-outbox.json', JSON.parse],
  ['alerts/synap-outbox.yaml', parse],
])('docs/%s', (file, parsed: (text: string) => unknown) => {
  it('parses, and asks for metrics and labels that exist', () => {
    const asked = expressions(parsed(read(file)))
    expect(asked.length).toBeGreaterThan(5)
    for (const expression of asked) {
      const inside = expression.match(/synap_outbox_\w+/g) ?? []
      expect([expression, inside.some((name) => known.has(name))]).toEqual([expression, true])
      for (const bracket of ['()', '{}', '[]']) {
        const count = (sign = '') => expression.split(sign).length
        expect([expression, count(bracket[0])]).toEqual([expression, count(bracket[1])])
      }
    }
    for (const name of mentioned(read(file))) {
      expect([name, known.has(name) || labels.has(name)]).toEqual([name, true])
    }
  })

  it('sums what processes count, and takes the maximum of what they all see', () => {
    for (const expression of expressions(parsed(read(file)))) {
      for (const { kind, ...metric } of Object.values(METRICS)) {
        for (const name of prometheusNames({ kind, ...metric })) {
          const [, before] = new RegExp(`^(.*)\\b${name}\\b`).exec(expression) ?? []
          if (before === undefined || before.endsWith('absent(')) continue
          const wanted =
            kind === 'gauge' ? /max( by \([^)]*\) )?\($/ : /sum( by \([^)]*\) )?\((rate|increase)\($/
          expect(before).toMatch(wanted)
        }
      }
    }
  })
})

it('has a remedy in the document for each alert, and no other', () => {
  const { groups } = parse(read('alerts/synap-outbox.yaml')) as { groups: { rules: { alert: string }[] }[] }
  const alerts = groups.flatMap(({ rules }) => rules.map(({ alert }) => alert))
  expect(table('Alert').map(([alert]) => alert)).toEqual(alerts)
  expect(alerts.length).toBeGreaterThan(5)
})

it('draws each metric, or alerts on it, or is a detail', () => {
  const seen = mentioned(read('grafana/synap-outbox.json') + read('alerts/synap-outbox.yaml'))
  const unseen = Object.values(METRICS).filter(
    (metric) => !prometheusNames(metric).some((name) => seen.has(name)),
  )
  // What operators and retention do is not a matter of health.
  expect(unseen).toEqual([METRICS.discarded, METRICS.redriven, METRICS.pruned])
})
