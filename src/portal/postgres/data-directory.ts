import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { type Account, give, reachable, standIn } from './account'

export const USER = 'synap'
export const PASSWORD = 'synap'

/** The data directory that stands for `wanted`, initialised. Elsewhere where `account` cannot reach it. */
export function dataDirectory(wanted: string, binaries: string, account: Account): string {
  const parent = path.dirname(path.resolve(wanted))
  fs.mkdirSync(parent, { recursive: true })
  const directory = reachable(parent, account) ? path.resolve(wanted) : standIn('data', wanted, account)
  if (holdsDatabase(directory, account)) return directory
  initialise(binaries, directory, account)
  return directory
}

/** Throws where the folder holds anything that PostgreSQL cannot use, in clearer words than its own. */
function holdsDatabase(directory: string, account: Account): boolean {
  const found = fs.statSync(directory, { throwIfNoEntry: false })
  if (!found || isEmpty(directory)) return false
  const mine = account.uid ?? process.getuid?.()
  if (mine !== undefined && found.uid !== mine) {
    throw new Error(
      `The database in ${directory} belongs to another account: an earlier run was started as somebody else. ` +
        'Start as before, or remove the folder to begin anew.',
    )
  }
  if (fs.existsSync(path.join(directory, 'PG_VERSION'))) return true
  throw new Error(
    `${directory} holds something that is not a database. Name another folder for the database.`,
  )
}

/** What cannot be read is not taken for empty. */
function isEmpty(directory: string): boolean {
  try {
    return fs.readdirSync(directory).length === 0
  } catch {
    return false
  }
}

/** Made aside and renamed, so that a run killed in the middle leaves nothing that looks finished. */
function initialise(binaries: string, directory: string, account: Account): void {
  const making = `${directory}.new`
  fs.rmSync(making, { recursive: true, force: true })
  fs.mkdirSync(making, { mode: 0o700 })
  const secret = fs.mkdtempSync(`${directory}.secret-`)
  const passwordFile = path.join(secret, 'password')
  fs.writeFileSync(passwordFile, `${PASSWORD}\n`, { mode: 0o600 })
  for (const target of [making, secret, passwordFile]) give(target, account)
  try {
    const flags = ['-A', 'scram-sha-256', '-U', USER, `--pwfile=${passwordFile}`, '-E', 'UTF8', '--locale=C']
    const result = spawnSync(path.join(binaries, 'initdb'), ['-D', making, '--no-sync', ...flags], {
      ...account,
      encoding: 'utf8',
      cwd: making,
    })
    if (result.status !== 0) {
      throw new Error(
        `PostgreSQL could not create ${directory}: ${result.stderr?.trim() || result.error?.message}`,
      )
    }
    if (fs.existsSync(directory)) fs.rmdirSync(directory)
    fs.renameSync(making, directory)
  } finally {
    for (const folder of [secret, making]) fs.rmSync(folder, { recursive: true, force: true })
  }
}
