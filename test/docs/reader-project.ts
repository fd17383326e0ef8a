import { execFile } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import type { Scene } from '../support/scene'

const root = path.resolve(__dirname, '../..')

/** The secret keys that code from a document runs with. */
export const READER_KEYS = `k1:${Buffer.alloc(32, 1).toString('base64')}`

export interface CodeBlock {
  readonly language: string
  readonly code: string
}

/** The fenced code blocks of a document, in order. */
export function blocksOf(document: string): CodeBlock[] {
  const text = fs.readFileSync(path.join(root, document), 'utf8')
  return [...text.matchAll(/```(\w+)\n(.*?)```/gs)].map(([, language = '', code = '']) => ({
    language,
    code,
  }))
}

/** The TypeScript blocks that are files: their first line is a comment with their name. */
export function filesOf(blocks: readonly CodeBlock[]): Record<string, string> {
  const files = blocks.flatMap(({ language, code }): [string, string][] => {
    const name = language === 'ts' ? /^\/\/ (\S+\.ts)\n/.exec(code)?.[1] : undefined
    return name ? [[name, code]] : []
  })
  return Object.fromEntries(files)
}

/** A folder as a reader would have it, with the package installed as it is built. */
export interface ReaderProject {
  /** Compiles the files with tsc, strictly, and runs one of them, with the scene's database and Segment. */
  compileAndRun(files: Record<string, string>, entry: string): Promise<string>
  remove(): void
}

export function createReaderProject(scene: Scene): ReaderProject {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'synap-outbox-reader-'))
  fs.mkdirSync(path.join(folder, 'node_modules'))
  for (const name of fs.readdirSync(path.join(root, 'node_modules'))) {
    if (!name.startsWith('.'))
      fs.symlinkSync(path.join(root, 'node_modules', name), path.join(folder, 'node_modules', name))
  }
  fs.symlinkSync(root, path.join(folder, 'node_modules/synap-outbox'))
  const strict = '--strict --module nodenext --target es2023 --skipLibCheck --types node'.split(' ')
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc')
  const env = {
    ...process.env,
    DATABASE_URL: scene.database.url,
    SEGMENT_HOST: scene.segment.url,
    OUTBOX_SECRET_KEYS: READER_KEYS,
  }
  const run = promisify(execFile)
  return {
    async compileAndRun(files, entry) {
      for (const [name, code] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), code)
      const options = { cwd: folder, env }
      const failed = (error: { stdout: string; stderr: string }) => {
        throw new Error(error.stdout + error.stderr)
      }
      await run(process.execPath, [tsc, ...strict, ...Object.keys(files)], options).catch(failed)
      return (await run(process.execPath, [entry], options).catch(failed)).stdout
    },
    remove: () => fs.rmSync(folder, { recursive: true }),
  }
}
