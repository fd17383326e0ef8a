/**
 * The ids that Segment remembers. They are not scoped to a source or workspace: an id seen under another write
 * key is a duplicate too. Source: Segment, "Handling Duplicate Data".
 */
export class DedupWindow {
  // A Map keeps insertion order, and ids come in order of time: the oldest are always in front.
  readonly #seenAt = new Map<string, number>()

  constructor(private readonly windowMs: number) {}

  /** Remembers an id; false if it was known already. A repetition does not prolong the window. */
  admit(messageId: string, at: number): boolean {
    if (this.#seenAt.has(messageId)) return false
    this.#seenAt.set(messageId, at)
    return true
  }

  /** Forgets what has left the window; called before the ids of a request are looked up. */
  expire(at: number): void {
    for (const [messageId, seenAt] of this.#seenAt) {
      if (at - seenAt < this.windowMs) return
      this.#seenAt.delete(messageId)
    }
  }
}
