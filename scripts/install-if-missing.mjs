// npm's pre-scripts call this, so that `npm start` and `npm test` work right after a clone. It installs what
// package-lock.json names, and does nothing, without any network, where the installed tree already matches it.
import { spawnSync } from 'node:child_process'
import { existsSync, lstatSync, readFileSync } from 'node:fs'

/** npm writes this file last: a tree whose installation was interrupted has none. */
const INSTALLED = 'node_modules/.package-lock.json'

const reason = whyNotCurrent()
if (reason && lstatSync('node_modules', { throwIfNoEntry: false })?.isSymbolicLink()) {
  console.error(
    `node_modules is a link, and ${reason}. npm ci would empty the folder that it leads to, which is another project's. ` +
      'Install there, or remove the link.',
  )
  process.exitCode = 1
} else if (reason) {
  console.error(`Installing dependencies (npm ci), because ${reason} …`)
  // Development dependencies whatever NODE_ENV says. Standard output is the caller's: `npm start` ends it with a report.
  const options = ['--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error']
  const result = spawnSync('npm', ['ci', ...options], {
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  })
  if (result.error) console.error(`npm could not be started: ${result.error.message}`)
  else if (result.status !== 0)
    console.error('Installing failed; npm says why above. Once mended, run the same command again.')
  process.exit(result.status ?? 1)
}

function whyNotCurrent() {
  if (!existsSync(INSTALLED)) return 'none are installed'
  const wanted = packagesOf('package-lock.json')
  const found = packagesOf(INSTALLED)
  for (const [folder, { version, integrity, optional }] of wanted) {
    const installed = found.get(folder)
    // An optional one may be for other machines than this.
    if (!installed && !optional) return `${folder} is missing`
    if (installed && (installed.version !== version || installed.integrity !== integrity)) {
      return `${folder} is not the version that package-lock.json names`
    }
  }
  for (const [folder, { os, cpu }] of found) {
    if (!wanted.has(folder)) return `${folder} is no longer wanted`
    if (!fits(os, process.platform) || !fits(cpu, process.arch)) return `${folder} is for another machine`
    if (!existsSync(folder)) return `${folder} is missing`
  }
}

/** The packages that a lock file names, by folder; without the project itself. */
function packagesOf(lock) {
  const { packages } = JSON.parse(readFileSync(lock, 'utf8'))
  return new Map(Object.entries(packages).filter(([folder]) => folder !== ''))
}

function fits(names, name) {
  return !names || names.includes(name) || (names[0].startsWith('!') && !names.includes(`!${name}`))
}
