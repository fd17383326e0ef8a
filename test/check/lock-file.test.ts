import fs from 'node:fs'
import path from 'node:path'
import { ROOT } from '../package/packed-consumer'

interface Entry {
  version?: string
  resolved?: string
  optionalDependencies?: Record<string, string>
}

const { packages } = JSON.parse(fs.readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8')) as {
  packages: Record<string, Entry>
}

describe('package-lock.json', () => {
  it('names the packages for every platform: npm ci refuses it otherwise, on a clean clone only', () => {
    const missing = Object.entries(packages).flatMap(([folder, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) => !packages[`${folder}/node_modules/${name}`] && !packages[`node_modules/${name}`],
      ),
    )
    expect(missing).toEqual([]) // node scripts/complete-lock.mjs adds them
  })

  it('names no host to fetch from: each machine has its own registry', () => {
    const fixed = Object.entries(packages).filter(([, { resolved }]) => resolved !== undefined)
    expect(fixed.map(([folder]) => folder)).toEqual([])
  })
})
