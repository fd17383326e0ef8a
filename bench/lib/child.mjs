import { fork } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'

/**
 * Starts a process of its own on a world's database, as a replica of the monolith would be.
 *
 * @param file of bench/processes, without its ending
 * @param options `execArgv`: Node's own options; all else is handed to the process
 * @returns `ask(question)` for one answer, `end()`
 */
export async function startChild(file, world, { execArgv = [], ...options } = {}) {
  const { folder, url, sinkUrl } = world
  const child = fork(path.resolve(import.meta.dirname, '../processes', `${file}.mjs`), {
    execArgv: ['--expose-gc', ...execArgv],
    env: { ...process.env, BENCH: JSON.stringify({ folder, url, sinkUrl, ...options }) },
  })
  const answer = async () => {
    const ended = new AbortController()
    const gone = once(child, 'exit', { signal: ended.signal }).then(([code]) => {
      throw new Error(`the process ${file} ended with ${code}`)
    })
    gone.catch(() => {})
    const [message] = await Promise.race([once(child, 'message'), gone]).finally(() => ended.abort())
    return message
  }
  const ready = await answer()
  return {
    ready,
    ask(question) {
      const answered = answer()
      child.send(question)
      return answered
    },
    async end() {
      const gone = once(child, 'exit')
      child.disconnect()
      if (child.exitCode === null) await gone
    },
  }
}
