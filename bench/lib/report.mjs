import { readFileSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { goalText, numberText } from './goals.mjs'
import { SERVER_SETTINGS } from './stage.mjs'

const FILE = path.resolve(import.meta.dirname, '../../docs/benchmarks.md')

/** Writes docs/benchmarks.md from the results of a run. */
export function writeReport(results, about) {
  writeFileSync(
    FILE,
    [introduction(about), table(results), ...results.map(section), method(about)].join('\n\n'),
  )
}

function introduction({ small, rounds, minutes, missing }) {
  const scale = small
    ? '\n\n**These figures are from a run at small scale, which only shows that each scenario works. Do not quote them.**'
    : ''
  return `# Benchmarks

Written by \`npm run bench\`; do not edit. Each scenario runs what it compares side by side, in turns, ${rounds} rounds
(half as many of what takes minutes), and throws its figures away unless exactly the recorded events arrived, each once. Ratios are the
result: they carry over to other machines. Absolute figures are context.${scale}

${machine()}, Node ${process.versions.node}. This run took ${Math.round(minutes)} minutes.${notTaken(missing)}`
}

function notTaken(missing) {
  return missing.length === 0 ? '' : ` Not taken in it: ${missing.map((name) => `\`${name}\``).join(', ')}.`
}

function machine() {
  const cpus = os.cpus()
  const memory = Math.round(os.totalmem() / 2 ** 30)
  return `${cpus.length} × ${cpus[0]?.model.trim() || os.arch()}, ${memory} GiB, ${os.type()} ${os.release()}`
}

function table(results) {
  const rows = results.map(({ name, value, min, max, goal, met, error }) => {
    const measured =
      value === null
        ? `failed: ${oneLine(error)}`
        : `**${numberText(value)}** | ${numberText(min)} – ${numberText(max)}`
    return `| \`${name}\` | ${measured}${value === null ? ' |' : ''} | ${goalText(goal)} | ${met ? 'yes' : 'no'} |`
  })
  return ['| name | median | spread | goal | met |', '|---|---|---|---|---|', ...rows].join('\n')
}

function section({ name, what, figures, notes }) {
  const rows = figures.map(
    ({ what, unit, median, min, max }) =>
      `| ${what} | ${numberText(median)}${unit ? ` ${unit}` : ''} | ${numberText(min)} – ${numberText(max)} |`,
  )
  const measured = rows.length > 0 ? `\n\n| | median | spread |\n|---|---|---|\n${rows.join('\n')}` : ''
  const said = notes.length > 0 ? `\n\n${notes.map((note) => `- ${note}`).join('\n')}` : ''
  return `## ${name}\n\n${what}${measured}${said}`
}

function method({ postgres, hugePages }) {
  const settings = Object.entries(SERVER_SETTINGS).map(([name, value]) => `${name} = ${value}`)
  return `## How it is measured

- PostgreSQL ${postgres}, the embedded one, a fresh data directory, fsync on, huge pages ${hugePages}. Beyond
  its defaults: ${settings.join(', ')}.
  Before each measurement the database is vacuumed, analysed and checkpointed, so that no background work of an earlier
  step falls into it.
- Segment is stood in for by an HTTP server in a process of its own (\`bench/lib/sink-process.mjs\`), which answers as the
  batch endpoint does and keeps the messageIds that arrived. It is leaner than the local Segment of
  \`synap-outbox/testing\`, which judges each message: that one would take half of bare undici's speed.
- Two sizes of event: about 400 bytes and about 2 KB of body. Where not stated, the small one.
- ${versions()}. Backlogs are written by SQL, laid out as recording does; what is measured is recorded and sent by the
  module with its default options, where not stated otherwise.
- Ratios are taken round by round, of what ran side by side; the median of them is the result, their range the spread.
`
}

function versions() {
  const of = (name) => `${name} ${installed(name)}`
  const compared = [
    'typeorm',
    'pg',
    '@segment/analytics-node',
    'undici',
    'pg-transactional-outbox',
    'graphile-worker',
    'pg-boss',
  ]
  return compared.map(of).join(', ')
}

function installed(name) {
  const roots = [path.resolve(import.meta.dirname, '..'), path.resolve(import.meta.dirname, '../..')]
  for (const root of roots) {
    try {
      return JSON.parse(readFileSync(path.join(root, 'node_modules', name, 'package.json'), 'utf8')).version
    } catch (error) {
      if (error.code !== 'ENOENT') throw error
    }
  }
  return '(not installed)'
}

function oneLine(error) {
  return String(error?.message ?? error)
    .split('\n')[0]
    .replaceAll('|', '\\|')
}
