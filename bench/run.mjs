// Measures the outbox side by side with its peers, in one run:
//
//   npm run bench                                 all of it, and writes docs/benchmarks.md
//   npm run bench -- record.one drain             what these names begin with
//   npm run bench -- --json --rounds 3 --scale small
//
// `--json` prints [{name, value, unit, goal, met}] as the last thing on standard output; progress goes to standard error.
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { parseArgs } from 'node:util'

const HELP = `Usage: npm run bench -- [names…] [options]

Runs the scenarios whose results' names begin with one of the given names; without any, all of them.

Options
  --json         print the results as JSON
  --rounds N     how often each scenario is repeated (default 5, small 3)
  --scale S      small: seconds for each scenario, to see that it works; full: what docs/benchmarks.md is made of (default)
  --write        write docs/benchmarks.md also from a part of the scenarios or at small scale
  --list         print the names and goals
  --help         this text
`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    scale: { type: 'string', default: 'full' },
    write: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
const small = values.scale === 'small'
const rounds = Number(values.rounds ?? (small ? 3 : 5))
if (values.help) {
  process.stdout.write(HELP)
} else if (!['small', 'full'].includes(values.scale) || !Number.isInteger(rounds) || rounds < 1) {
  console.error('bench: --scale is small or full, and --rounds a whole number from 1 on. See --help.')
  process.exitCode = 2
} else {
  installPeers()
  const { runAll } = await import('./lib/run-all.mjs')
  process.exitCode = await runAll({ ...values, names: positionals, small, rounds })
}

/** The peers that the outbox is measured against: users of the module never install them. */
function installPeers() {
  const script = path.resolve(import.meta.dirname, '../scripts/install-if-missing.mjs')
  const { status } = spawnSync(process.execPath, [script], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 2, 2],
  })
  if (status !== 0) process.exit(status ?? 1)
}
