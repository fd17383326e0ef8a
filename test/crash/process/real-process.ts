import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { compiledSources } from './compile'
import { type Order, type Orders, PAUSED, type ProcessMessage, type Setup } from './protocol'

/** Whether the process has the state T, stopped by a signal: from Linux's /proc, and from `ps` elsewhere. */
function isStopped(pid: number): boolean {
  const stat = `/proc/${pid}/stat`
  const state = fs.existsSync(stat)
    ? fs.readFileSync(stat, 'utf8').split(') ')[1]
    : execFileSync('ps', ['-o', 'state=', '-p', String(pid)], { encoding: 'utf8' })
  return state?.trim().startsWith('T') ?? false
}

/** How a process ended. */
export interface Ending {
  code: number | null
  signal: NodeJS.Signals | null
}

/** The process ended before it answered. */
export class ProcessEnded extends Error {
  constructor(
    readonly ending: Ending,
    order: string,
    said: string,
  ) {
    super(
      `The process ended (${ending.signal ?? ending.code}) at the order "${order}". It said: ${said || '-'}`,
    )
  }
}

interface Seen {
  event: string
  payload: Record<string, unknown>
}

/** A running `exam-process`. Every test ends the ones it started, with `end()` where nothing else did. */
export class RealProcess {
  /** Resolves when the process is gone. */
  readonly ended: Promise<Ending>
  /** The outbox's events, in their order. */
  readonly events: Seen[] = []
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, { done: (answer: unknown) => void; failed: (error: Error) => void }>()
  readonly #watchers = new Set<() => void>()
  #orders = 0
  #said = ''

  constructor() {
    const program = path.join(compiledSources(), 'test/crash/process/exam-process.js')
    const clock = path.join(path.dirname(program), 'host-clock.js')
    const child = fork(program, { execArgv: ['--require', clock], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
    this.#child = child
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#said += chunk.toString()
        this.#look()
      })
    }
    child.on('message', (message) => this.#heard(message as ProcessMessage))
    // Not 'close': with the line cut from this side, Node never emits it.
    this.ended = once(child, 'exit').then(([code, signal]) => ({ code, signal }) as Ending)
    void this.ended.then(() => this.#look())
  }

  static async open(setup: Setup): Promise<RealProcess> {
    const opened = new RealProcess()
    await opened.ask('open', setup)
    return opened
  }

  get pid(): number {
    return this.#child.pid as number
  }

  /** Everything it wrote to its outputs. */
  get said(): string {
    return this.#said
  }

  /** Asks for something and resolves with its answer; rejects with ProcessEnded where the process ends before. */
  async ask<O extends Order>(order: O, given: Orders[O]['with']): Promise<Orders[O]['answer']> {
    const number = ++this.#orders
    const answered = new Promise<unknown>((done, failed) => this.#waiting.set(number, { done, failed }))
    if (this.#child.connected) this.#child.send({ number, order, with: given }, () => undefined)
    const gone = this.ended.then((ending) => {
      throw new ProcessEnded(ending, order, this.#said)
    })
    return (await Promise.race([answered, gone])) as Orders[O]['answer']
  }

  /** Resolves with the first event, past or to come, for which `holds`; rejects if the process ends before. */
  async seen(event: string, holds: (payload: Seen['payload']) => boolean = () => true): Promise<Seen> {
    const find = () => this.events.find((each) => each.event === event && holds(each.payload))
    return this.#waitFor(find, `the event "${event}"`)
  }

  /** Resolves when it has written this to its output; rejects if the process ends before. */
  async says(text: string): Promise<void> {
    await this.#waitFor(() => this.#said.includes(text) || undefined, `saying "${text}"`)
  }

  /** Waits until the process has stopped itself. It says so a moment before: a SIGCONT in between would be lost. */
  async paused(): Promise<void> {
    await this.says(PAUSED)
    while (this.#child.exitCode === null && !isStopped(this.#child.pid as number)) await setImmediate()
  }

  #waitFor<Found>(find: () => Found | undefined, what: string): Promise<Found> {
    let ended = false
    void this.ended.then(() => (ended = true))
    return new Promise((resolve, reject) => {
      const check = () => {
        const found = find()
        if (found === undefined && !ended) return
        this.#watchers.delete(check)
        if (found !== undefined) resolve(found)
        else reject(new Error(`The process ended without ${what}. It said: ${this.#said}`))
      }
      this.#watchers.add(check)
      check()
    })
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  /** Cuts the line to it: with nothing left to do, it ends by itself. Resolves when it has. */
  async letGo(): Promise<Ending> {
    if (this.#child.connected) this.#child.disconnect()
    return this.ended
  }

  /** Ends it, however it is; resolves when it is gone. */
  async end(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.ended
  }

  #look(): void {
    for (const check of [...this.#watchers]) check()
  }

  #heard(message: ProcessMessage): void {
    if ('event' in message) {
      this.events.push(message as Seen)
      this.#look()
      return
    }
    const waiting = this.#waiting.get(message.number)
    this.#waiting.delete(message.number)
    if ('error' in message) waiting?.failed(new Error(message.error))
    else waiting?.done(message.answer)
  }
}
