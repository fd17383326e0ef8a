import type { MessageType } from '../../entities'
import {
  DROPPED,
  keyOrRegion,
  notLoadedYet,
  oversizeBatch,
  planBlock,
  UNKNOWN,
  type Words,
} from './gap-words'
import type { Gap, GapCause } from './report'

/** A batch that was compared, as far as the causes of gaps go by it. */
export interface ComparedBatch {
  readonly settledAt: Date
  readonly insideWindow: boolean
  /** It had been sent before, and Segment may have taken it then. */
  readonly sentBefore: boolean
  readonly found: readonly Call[]
  /** Delivered longer ago than the lag allowance, and not there. */
  readonly missing: readonly (Call & { readonly messageId: string })[]
  /** Not there either, but younger. */
  readonly awaited: readonly { readonly messageId: string }[]
}

interface Call {
  readonly type: MessageType
  readonly event: string | null
}

const EXAMPLES = 5

/** Messages that are missing, in the order of delivery. */
class Missed {
  messages = 0
  insideWindow = 0
  firstAt = new Date(0)
  lastAt = new Date(0)
  readonly examples: string[] = []

  add(batch: ComparedBatch, messageId: string): void {
    if (this.messages++ === 0) this.firstAt = batch.settledAt
    this.lastAt = batch.settledAt
    if (batch.insideWindow) this.insideWindow++
    if (this.examples.length < EXAMPLES) this.examples.push(messageId)
  }

  join(other: Missed): this {
    if (this.messages === 0 || other.firstAt < this.firstAt) this.firstAt = other.firstAt
    if (other.lastAt > this.lastAt) this.lastAt = other.lastAt
    this.messages += other.messages
    this.insideWindow += other.insideWindow
    this.examples.push(...other.examples.slice(0, EXAMPLES - this.examples.length))
    return this
  }
}

/** One event, or one type of call, that has missing messages. */
class KindOfCall {
  /** Messages of any kind that were found before the batch of its first missing one. */
  readonly foundBefore: number
  /** The same, up to and with the batch of its last missing one. */
  foundUntil = 0
  /** It was found since its first missing message. */
  foundSince = false
  /** It was found between its first and its last missing message. */
  interrupted = false

  constructor(
    readonly call: Call,
    found: number,
  ) {
    this.foundBefore = found
  }

  /** While it was missing it never arrived, and others did. */
  get blocked(): boolean {
    return !this.interrupted && this.foundUntil > this.foundBefore
  }
}

/** Batches one after the other that have missing messages, nothing of the source being found in between. */
interface Run {
  readonly byKind: Map<string, Missed>
  batches: number
  /** The smallest of its batches. */
  smallest: number
  /** A later batch was found: the source is alive again. */
  over: boolean
}

/**
 * Finds likely causes while batches go by in the order of their delivery. What it keeps grows with the runs of missing
 * batches, not with messages.
 *
 * A cause is an inference: nothing tells what Segment did behind its 200. It is made from what is missing together and
 * from what arrived at the same time, and is named with what speaks for it.
 */
export class GapFinder {
  readonly #kinds = new Map<string, KindOfCall>()
  readonly #runs: Run[] = []
  /** Missing from batches that arrived in part. */
  readonly #partly = new Map<string, Missed>()
  readonly #awaited = new Missed()
  readonly #sentBefore = new Missed()
  #found = 0
  #largestFound = 0

  add(batch: ComparedBatch): void {
    for (const { messageId } of batch.awaited) this.#awaited.add(batch, messageId)
    if (!batch.sentBefore) {
      this.#addFirstSend(batch)
      return
    }
    // What became of its first send says nothing of now, and what is missing has a cause of its own.
    for (const { messageId } of batch.missing) this.#sentBefore.add(batch, messageId)
    this.#found += batch.found.length
  }

  #addFirstSend(batch: ComparedBatch): void {
    const kindsHere = new Map<string, KindOfCall>()
    for (const call of batch.missing) {
      const key = keyOf(call)
      const kind = this.#kinds.get(key) ?? new KindOfCall(call, this.#found)
      this.#kinds.set(key, kind)
      kindsHere.set(key, kind)
    }
    this.#found += batch.found.length
    for (const kind of kindsHere.values()) {
      kind.foundUntil = this.#found
      kind.interrupted ||= kind.foundSince
    }
    for (const call of batch.found) {
      const kind = this.#kinds.get(keyOf(call))
      if (kind === undefined) continue
      kind.foundSince = true
      // One batch is one moment: it arrived next to a missing message of its own kind.
      if (kindsHere.has(keyOf(call))) kind.interrupted = true
    }
    if (batch.found.length > 0) {
      this.#largestFound = Math.max(this.#largestFound, batch.found.length + batch.missing.length)
      const run = this.#runs.at(-1)
      if (run) run.over = true
      note(this.#partly, batch)
    } else if (batch.missing.length > 0) this.#addToRun(batch)
  }

  #addToRun(batch: ComparedBatch): void {
    let run = this.#runs.at(-1)
    if (run === undefined || run.over) {
      run = { byKind: new Map(), batches: 0, smallest: Number.POSITIVE_INFINITY, over: false }
      this.#runs.push(run)
    }
    run.batches++
    run.smallest = Math.min(run.smallest, batch.missing.length)
    note(run.byKind, batch)
  }

  /** The gaps, the largest first. */
  finish(loadedThrough: Date | null): Gap[] {
    const blocked = new Map<string, Missed>()
    const source = new Missed()
    const oversize = new Missed()
    const unknown = new Missed()
    const attribute = (missed: ReadonlyMap<string, Missed>, otherwise: Missed) => {
      for (const [key, some] of missed) {
        if (!this.#kinds.get(key)?.blocked) otherwise.join(some)
        else blocked.set(key, (blocked.get(key) ?? new Missed()).join(some))
      }
    }
    attribute(this.#partly, unknown)
    for (const run of this.#runs) {
      const tooLarge = run.over && this.#largestFound > 0 && run.smallest > this.#largestFound
      const alone = run.over && run.batches === 1
      attribute(run.byKind, tooLarge ? oversize : alone ? unknown : source)
    }
    const gaps = [...blocked].map(([key, missed]) => {
      const { type, event } = (this.#kinds.get(key) as KindOfCall).call
      return gap('plan-block', missed, planBlock(type, event), { type, event })
    })
    gaps.push(
      gap('key-or-region', source, keyOrRegion(source, this.#found, loadedThrough)),
      gap('oversize-batch', oversize, oversizeBatch(this.#largestFound)),
      gap('dropped-as-duplicate', this.#sentBefore, DROPPED),
      gap('unknown', unknown, UNKNOWN),
      gap('not-loaded-yet', this.#awaited, notLoadedYet(loadedThrough)),
    )
    return gaps.filter(({ messages }) => messages > 0).sort((a, b) => b.messages - a.messages)
  }
}

function note(byKind: Map<string, Missed>, batch: ComparedBatch): void {
  for (const call of batch.missing) {
    const missed = byKind.get(keyOf(call)) ?? new Missed()
    byKind.set(keyOf(call), missed)
    missed.add(batch, call.messageId)
  }
}

function keyOf({ type, event }: Call): string {
  return `${type} ${event ?? ''}`
}

function gap(
  cause: GapCause,
  { messages, insideWindow, firstAt, lastAt, examples }: Missed,
  [explanation, remedy]: Words,
  kind: { type?: MessageType; event?: string | null } = {},
): Gap {
  return { cause, ...kind, messages, insideWindow, firstAt, lastAt, examples, explanation, remedy }
}
