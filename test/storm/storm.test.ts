import { spawnSync } from 'node:child_process'
import path from 'node:path'

const ROOT = path.resolve(__dirname, '../..')

interface StormReport {
  committed: number
  rolledBack: number
  kills: number
  faults: number
  resends: number
}

/** A storm as `npm run storm` makes it, on the tests' server; its report is the last line. */
function storm(...options: string[]): { report: StormReport; status: number | null } {
  const { stdout, status } = spawnSync(process.execPath, ['scripts/storm.mjs', ...options], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, DATABASE_URL: process.env.TEST_SERVER_URL, NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 90_000,
  })
  return { report: JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as StormReport, status }
}

it('loses, doubles and misplaces nothing while processes are killed and Segment fails', () => {
  const { report, status } = storm('--minutes', '0.15', '--processes', '3', '--portals', '20')
  expect(report).toMatchObject({
    drained: true,
    crashes: 0,
    lost: 0,
    duplicatesAfterDedup: 0,
    leaked: 0,
    wrongIds: 0,
    orderViolations: 0,
    uncertain: 0,
  })
  expect(status).toBe(0)
  // It was a storm at all.
  expect(report.committed).toBeGreaterThan(100)
  const never = (['rolledBack', 'kills', 'faults', 'resends'] as const).filter((what) => !(report[what] > 0))
  expect(never).toEqual([])
}, 120_000)
