import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { ROOT } from '../package/packed-consumer'
import { run } from '../package/run'

interface Package {
  version: string
  integrity?: string
  optional?: boolean
  os?: string[]
}
type Packages = Record<string, Package>

const root: Packages = { '': { version: '1.0.0' } }
const zod: Packages = { 'node_modules/zod': { version: '4.0.0', integrity: 'sha512-a' } }
const mac: Packages = {
  'node_modules/mac': { version: '1.0.0', optional: true, os: ['darwin'] },
  'node_modules/not-mac': { version: '1.0.0', optional: true, os: ['!darwin'] },
}
const elsewhere = process.platform === 'darwin' ? 'node_modules/not-mac' : 'node_modules/mac'

let folder: string

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), 'synap-outbox-install-'))
  fs.mkdirSync(path.join(folder, 'bin'))
  const npm = path.join(folder, 'bin/npm')
  fs.writeFileSync(npm, '#!/bin/sh\necho "npm $*"\nexit "$NPM_EXIT"\n')
  fs.chmodSync(npm, 0o755)
})
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }))

function lock(packages: Packages): void {
  fs.writeFileSync(path.join(folder, 'package-lock.json'), JSON.stringify({ packages }))
}

/** Leaves what `npm ci` does: the folders, and the hidden lock file. */
function install(packages: Packages): void {
  for (const name of Object.keys(packages)) fs.mkdirSync(path.join(folder, name), { recursive: true })
  fs.mkdirSync(path.join(folder, 'node_modules'), { recursive: true })
  fs.writeFileSync(path.join(folder, 'node_modules/.package-lock.json'), JSON.stringify({ packages }))
}

async function installIfMissing(exit = 0) {
  const script = path.join(ROOT, 'scripts/install-if-missing.mjs')
  const env = { PATH: `${path.join(folder, 'bin')}:${process.env.PATH}`, NPM_EXIT: `${exit}` }
  const { code, stdout, stderr } = await run(process.execPath, [script], { cwd: folder, env })
  expect(stdout).toBe('')
  return { code, stderr }
}

describe('install-if-missing', () => {
  it.each([
    ['the same is installed', { ...root, ...zod }, zod],
    ['all but an optional package for other machines is', { ...root, ...zod, ...mac }, withoutElsewhere()],
  ])('asks nobody where %s', async (_, wanted, found) => {
    lock(wanted)
    install(found)
    expect(await installIfMissing()).toEqual({ code: 0, stderr: '' })
  })

  it('asks nobody where only the time of the lock file is newer', async () => {
    install(zod)
    lock({ ...root, ...zod })
    const later = Date.now() / 1000 + 3600
    fs.utimesSync(path.join(folder, 'package-lock.json'), later, later)
    expect(await installIfMissing()).toEqual({ code: 0, stderr: '' })
  })

  it.each<[string, Packages, () => void]>([
    ['none are installed', zod, () => {}],
    [
      'none are installed',
      zod,
      () => fs.mkdirSync(path.join(folder, 'node_modules/zod'), { recursive: true }),
    ],
    ['node_modules/zod is missing', zod, () => install({})],
    [
      'node_modules/zod is missing',
      zod,
      () => {
        install(zod)
        fs.rmSync(path.join(folder, 'node_modules/zod'), { recursive: true })
      },
    ],
    [
      'node_modules/zod is not the version',
      zod,
      () => install({ 'node_modules/zod': { version: '4.0.1', integrity: 'sha512-b' } }),
    ],
    ['node_modules/zod is no longer wanted', {}, () => install(zod)],
    [`${elsewhere} is for another machine`, mac, () => install(mac)],
  ])('installs, in a clean way, because %s', async (reason, wanted, prepare) => {
    lock({ ...root, ...wanted })
    prepare()
    const { code, stderr } = await installIfMissing()
    expect(code).toBe(0)
    expect(stderr).toContain(`because ${reason}`)
    expect(stderr).toContain('npm ci --include=dev --include=optional')
  })

  it('fails as npm does', async () => {
    lock({ ...root, ...zod })
    const { code, stderr } = await installIfMissing(7)
    expect(code).toBe(7)
    expect(stderr).toContain('Installing failed')
  })

  it('empties no folder of others: node_modules that is a link, and out of date', async () => {
    const others = path.join(folder, 'others')
    fs.mkdirSync(path.join(others, 'zod'), { recursive: true })
    fs.symlinkSync(others, path.join(folder, 'node_modules'))
    lock({ ...root, ...zod })
    const { code, stderr } = await installIfMissing()
    expect(code).toBe(1)
    expect(stderr).toContain('node_modules is a link, and none are installed')
    expect(stderr).not.toContain('npm ci --include')
    expect(fs.existsSync(path.join(others, 'zod'))).toBe(true)
  })

  it('takes this checkout for installed', async () => {
    const script = path.join(ROOT, 'scripts/install-if-missing.mjs')
    const env = { PATH: path.join(folder, 'bin') }
    expect(await run(process.execPath, [script], { cwd: ROOT, env })).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    })
  })
})

function withoutElsewhere(): Packages {
  return Object.fromEntries(Object.entries({ ...zod, ...mac }).filter(([name]) => name !== elsewhere))
}
