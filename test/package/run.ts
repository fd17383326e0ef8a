import { spawn } from 'node:child_process'

export interface Finished {
  /** Exit code; null when a signal ended it. */
  code: number | null
  stdout: string
  stderr: string
}

/** Runs a program to its end, without a shell and without standard input. */
export function run(
  program: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined, ...options.env }
    const child = spawn(program, args, { ...options, env, stdio: ['ignore', 'pipe', 'pipe'] })
    const said = { stdout: '', stderr: '' }
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        said[stream] += text
      })
    }
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, ...said }))
  })
}

/** Runs a program that has to succeed; throws with all it said otherwise. Returns what it wrote. */
export async function succeed(...call: Parameters<typeof run>): Promise<string> {
  const { code, stdout, stderr } = await run(...call)
  if (code !== 0) throw new Error(`${call[0]} ${call[1].join(' ')} ended with ${code}:\n${stdout}\n${stderr}`)
  return stdout
}
