// npm's pre-scripts call this, so that `npm start` and `npm test` work right after a clone. It installs what
// package-lock.json names, and does nothing where the installed tree already matches it.
import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'

const installed = 'node_modules/.package-lock.json'
const current = existsSync(installed) && statSync(installed).mtimeMs >= statSync('package-lock.json').mtimeMs

if (!current) {
  console.error('Installing dependencies (npm ci), once …')
  const result = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  })
  process.exit(result.status ?? 1)
}
