import { RealProcess } from './real-process'

/** Keeps a process ready, so that loading the next one does not add to the time of a test. */
export class Fleet {
  readonly #started: RealProcess[] = []
  #ready = this.#start()

  take(): RealProcess {
    const taken = this.#ready
    this.#ready = this.#start()
    return taken
  }

  async end(): Promise<void> {
    await Promise.all(this.#started.map((each) => each.end()))
  }

  #start(): RealProcess {
    const started = new RealProcess()
    this.#started.push(started)
    return started
  }
}
