/** What operators have chosen for messages, by messageId: a choice may cost what is otherwise promised. */
export class Choices {
  /** Queued again, and so no longer in the order they were recorded in. */
  readonly redriven = new Set<string>()
  /** Possibly sent again although Segment may have them. */
  readonly sentAgain = new Set<string>()
  /** Possibly taken for delivered without proof. */
  readonly marked = new Set<string>()
  /** Given up, and since when at the latest, in milliseconds on the run's clock. */
  readonly discarded = new Map<string, number>()

  redrive(messageId: string, inDoubt: 'send-again' | 'mark-delivered' | undefined): void {
    this.redriven.add(messageId)
    if (inDoubt === 'send-again') this.sentAgain.add(messageId)
    if (inDoubt === 'mark-delivered') this.marked.add(messageId)
  }

  discard(messageId: string, at: number): void {
    if (!this.discarded.has(messageId)) this.discarded.set(messageId, at)
  }
}
