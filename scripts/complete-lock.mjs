// Adds to package-lock.json the packages for other platforms that the registry in use did not offer, as a partial mirror
// does: `npm ci` refuses a lock file without them. They get no integrity, and are only fetched on their platform.
// Run it after `npm install` where test/check/lock-file.test.ts asks for it.
import { readFileSync, writeFileSync } from 'node:fs'

const PLATFORM = /-(android|darwin|freebsd|linux|openharmony|win32)-([a-z0-9]+)(?:-(.+))?$/
const FILE = 'package-lock.json'

const lock = JSON.parse(readFileSync(FILE, 'utf8'))
const { packages } = lock

for (const [folder, { optionalDependencies = {}, dev }] of Object.entries(packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    if (find(folder, name)) continue
    const parts = PLATFORM.exec(name)
    if (!parts || !/^\d+\.\d+\.\d+/.test(version)) {
      console.error(
        `${folder} wants ${name} ${version}, which is not a package for one platform: add it by hand.`,
      )
      process.exitCode = 1
      continue
    }
    const [, os, cpu, abi] = parts
    const libc = abi === 'musl' ? ['musl'] : abi?.startsWith('gnu') ? ['glibc'] : undefined
    packages[`node_modules/${name}`] = { version, cpu: [cpu], dev, libc, optional: true, os: [os] }
    console.log(`added ${name} ${version}`)
  }
}

// As npm sorts them.
const sorted = Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, 'en'))
writeFileSync(FILE, `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`)

/** The entry that Node's resolution finds from `folder`. */
function find(folder, name) {
  for (let at = folder; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    const found = packages[at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`]
    if (found || at === '') return found
  }
}
