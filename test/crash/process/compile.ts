import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { type Options, transformSync } from '@swc/core'

const ROOT = path.resolve(__dirname, '../../..')
const CACHE = path.join(ROOT, 'node_modules/.cache/synap-outbox-processes')
/** What a test's own processes load: the module, and the programs beside this file. */
const FOLDERS = ['src', 'entities', 'migrations', 'test/crash/process']
/** The reference portal, the console and the CLI are programs of their own. */
const LEFT_OUT = /^(src|entities)[/\\](portal|console|cli)[/\\]/

/** How long compiled sources are kept. */
const KEPT_MS = 86_400_000

interface JestConfig {
  transform: Record<string, [string, Options]>
}

/**
 * Compiles the sources for tests that start real processes, the way jest compiles them, and returns the folder.
 * Named for its content, and put in place in one step: test files that run side by side share it, and no test ever
 * runs yesterday's code.
 */
export function compiledSources(): string {
  const sources = FOLDERS.flatMap(filesBelow)
  const hash = createHash('sha256')
  for (const { file, text } of sources) hash.update(file).update('\0').update(text).update('\0')
  const folder = path.join(CACHE, hash.digest('hex').slice(0, 16))
  if (fs.existsSync(folder)) return folder

  fs.mkdirSync(CACHE, { recursive: true })
  forgetOld()
  const building = fs.mkdtempSync(path.join(CACHE, 'building-'))
  for (const { file, text } of sources) {
    const target = path.join(building, file.replace(/\.ts$/, '.js'))
    fs.mkdirSync(path.dirname(target), { recursive: true })
    fs.writeFileSync(target, transformSync(text, { ...jestOptions(), filename: path.join(ROOT, file) }).code)
  }
  try {
    fs.renameSync(building, folder)
  } catch {
    fs.rmSync(building, { recursive: true }) // another test file was faster
  }
  return folder
}

/** What no running test can be using any more. */
function forgetOld(): void {
  for (const name of fs.readdirSync(CACHE)) {
    const folder = path.join(CACHE, name)
    const made = fs.statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()
    if (Date.now() - made > KEPT_MS) fs.rmSync(folder, { recursive: true, force: true })
  }
}

function jestOptions(): Options {
  const { transform } = require(path.join(ROOT, 'jest.config.cjs')) as JestConfig
  const [[, options] = []] = Object.values(transform)
  return { ...options, swcrc: false, sourceMaps: 'inline' }
}

function filesBelow(folder: string): { file: string; text: string }[] {
  return fs
    .readdirSync(path.join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => path.relative(ROOT, path.join(entry.parentPath, entry.name)))
    .filter((file) => !LEFT_OUT.test(file))
    .sort()
    .map((file) => ({ file, text: fs.readFileSync(path.join(ROOT, file), 'utf8') }))
}
