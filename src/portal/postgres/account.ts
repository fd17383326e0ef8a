import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'

/** Whom the server runs as; empty: as this process. */
export interface Account {
  readonly uid?: number
  readonly gid?: number
}

/** PostgreSQL refuses to run as root: there it runs as `postgres`, or as `nobody`, which every Unix has. */
export function serverAccount(): Account {
  if (process.getuid?.() !== 0) return {}
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map((flag) => spawnSync('id', [flag, name], { encoding: 'utf8' }))
    if (uid?.status === 0 && gid?.status === 0) return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
  }
  throw new Error(
    'PostgreSQL cannot run as root, and this machine has neither a `postgres` nor a `nobody` account. ' +
      'Start as an ordinary user, or set DATABASE_URL to a server of your own.',
  )
}

/** True when `account` may enter every folder down to `folder`, which exists: it may not enter those below /root. */
export function reachable(folder: string, account: Account): boolean {
  if (account.uid === undefined) return true
  for (let at = fs.realpathSync(folder); ; at = path.dirname(at)) {
    const { mode, uid } = fs.statSync(at)
    if ((mode & (uid === account.uid ? 0o100 : 0o001)) === 0) return false
    if (at === path.dirname(at)) return true
  }
}

export function give(target: string, account: Account): void {
  if (account.uid !== undefined && account.gid !== undefined) fs.chownSync(target, account.uid, account.gid)
}

/** Where, in the temporary folder, the stand-in of a place that the account cannot reach is. The same in each run. */
export function standIn(kind: string, of: string, account: Account): string {
  const temporary = fs.realpathSync(os.tmpdir())
  if (!reachable(temporary, account)) {
    throw new Error(
      `The account that PostgreSQL runs as can reach neither ${of} nor ${temporary}. ` +
        'Set TMPDIR to a folder that every account may enter, or DATABASE_URL to a server of your own.',
    )
  }
  const id = createHash('sha256').update(path.resolve(of)).digest('hex').slice(0, 12)
  const folder = path.join(temporary, `synap-outbox-${kind}-${id}`)
  refuseForeign(folder, account)
  return folder
}

/** Anyone may put a folder, or a link, of a name that can be guessed into the temporary folder. */
function refuseForeign(folder: string, account: Account): void {
  const found = fs.lstatSync(folder, { throwIfNoEntry: false })
  if (!found || process.getuid === undefined) return
  if (found.isDirectory() && [process.getuid(), account.uid].includes(found.uid)) return
  throw new Error(`${folder} was put there by another account. Look at it, then remove it and start again.`)
}
