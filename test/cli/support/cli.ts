import path from 'node:path'
import { type Finished, run } from '../../package/run'
import type { Scene } from '../../support/scene'

/** The executable as the build compiles it; the tests' global set-up has built it. */
export const MAIN = path.resolve(__dirname, '../../../dist/src/cli/main.js')
export const SECRET_KEYS = `k1:${Buffer.alloc(32, 7).toString('base64')}`

/** What the commands are told by the environment. */
export function environment(scene: Scene): NodeJS.ProcessEnv {
  return {
    DATABASE_URL: scene.database.url,
    SEGMENT_HOST: scene.segment.url,
    OUTBOX_SECRET_KEYS: SECRET_KEYS,
  }
}

/** The command line as scripts use it: piped, without standard input. */
export function commandLine(scene: Scene, env: NodeJS.ProcessEnv = {}) {
  return (...args: string[]): Promise<Finished> =>
    run(process.execPath, [MAIN, ...args], { env: { ...environment(scene), ...env } })
}

/** What the command printed as `--json`; fails where it is anything but one document. */
export function parsed<Document>({ stdout, stderr }: Finished): Document {
  try {
    return JSON.parse(stdout)
  } catch {
    throw new Error(`No JSON: ${stdout}${stderr}`)
  }
}
