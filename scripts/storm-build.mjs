import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const root = path.resolve(import.meta.dirname, '..')

/**
 * Compiles the project into a folder of its own: a storm starts processes for minutes, and `dist` may be rebuilt
 * meanwhile. Inside node_modules, so that dependencies are found.
 */
export function build() {
  const cache = path.join(root, 'node_modules/.cache')
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(path.join(cache, 'synap-outbox-storm-'))
  const compiler = path.join(root, 'node_modules/typescript/bin/tsc')
  execFileSync(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--outDir', folder], {
    cwd: root,
    stdio: 'inherit',
  })
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** What a storm uses of the build in `folder`. */
export async function load(folder) {
  const from = async (file) => import(pathToFileURL(path.join(folder, file)).href)
  const { createDataSource } = await from('ormconfig.js')
  const { createOutbox, messageId } = await from('src/index.js')
  return { createDataSource, createOutbox, messageId }
}

/** What only the process that makes the storm uses. */
export async function loadServers(folder) {
  const from = async (file) => import(pathToFileURL(path.join(folder, file)).href)
  const { startLocalSegment } = await from('src/testing/index.js')
  const { startEmbeddedPostgres } = await from('src/portal/embedded-postgres.js')
  return { startLocalSegment, startEmbeddedPostgres }
}
