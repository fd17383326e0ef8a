// Runs tests on another version of Node, taken from the npm registry (the packages of node-bin, one for each platform).
//
//   node scripts/test-on-node.mjs 24 test/record test/dispatch
//
// Where the version cannot be had, it says so and is content: a registry need not offer it.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import path from 'node:path'

const [version = '', ...args] = process.argv.slice(2)
if (!/^\d+(\.\d+){0,2}$/.test(version)) {
  console.error('Name a version of Node, like 24: node scripts/test-on-node.mjs 24 test/record')
  process.exit(2)
}
const root = path.resolve(import.meta.dirname, '..')
const home = path.join(root, '.synap', `node-${version}`)
const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
const node = path.join(home, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')

if (!existsSync(node)) {
  mkdirSync(home, { recursive: true })
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const flags = [
    '--prefix',
    home,
    '--no-save',
    '--no-audit',
    '--no-fund',
    '--ignore-scripts',
    '--loglevel=error',
  ]
  const { status } = spawnSync(npm, ['install', ...flags, `${name}@${version}`], {
    cwd: home,
    stdio: 'inherit',
  })
  if (status !== 0 || !existsSync(node)) {
    console.log(`Node ${version} cannot be had for ${process.platform} ${process.arch}: skipped.`)
    process.exit(0)
  }
}
const { stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' })
console.log(`Node ${stdout.trim()}`)
// Tests that start processes start them with the Node that runs the tests.
const jest = path.join(root, 'node_modules/jest/bin/jest.js')
const { status } = spawnSync(node, [jest, ...args], { cwd: root, stdio: 'inherit' })
process.exitCode = status ?? 1
