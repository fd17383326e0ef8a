import type { Attempt } from '../../../entities'
import type { AuditEntry, BatchDetail, MessageRow, TimelineEntry } from './types'
import { duration, plural } from './words'

export interface History {
  readonly message: MessageRow & { readonly occurredAt: Date; readonly batchId: string | null }
  /** Every batch it was in, the first one first. */
  readonly batches: readonly BatchDetail[]
  /** What people did to selections that this message matches. */
  readonly operations: readonly AuditEntry[]
}

/** What happened to a message, in order of time. Pure. */
export function timelineOf({ message, batches, operations }: History): TimelineEntry[] {
  const { occurredAt, recordedAt, settledAt, erasedAt } = message
  const entries: TimelineEntry[] = [
    { at: occurredAt, kind: 'occurred', text: 'It happened.' },
    { at: recordedAt, kind: 'recorded', text: 'Recorded, in the transaction of the business change.' },
    ...batches.flatMap((batch) =>
      entriesOf(
        batch,
        batches.find(({ parentId }) => parentId === batch.batchId),
        batches.some(({ batchId }) => batchId === batch.parentId),
      ),
    ),
    ...operations.map(operationEntry),
  ]
  // A person's decision about a message that had reached its end keeps the moment of that end: it is told as operation.
  if (settledAt !== null) entries.push({ at: settledAt, kind: 'settled', text: settledText(message) })
  const confirmedAt = batches.find(({ batchId }) => batchId === message.batchId)?.confirmedAt
  if (confirmedAt)
    entries.push({
      at: confirmedAt,
      kind: 'confirmed',
      text: 'Found in the warehouse, with its whole batch.',
    })
  if (erasedAt !== null)
    entries.push({ at: erasedAt, kind: 'operation', text: 'Its user’s data was erased.' })
  return entries.sort((a, b) => a.at.getTime() - b.at.getTime() || ORDER[a.kind] - ORDER[b.kind])
}

/** Which of two entries of the same moment comes first. */
const ORDER: Record<TimelineEntry['kind'], number> = {
  occurred: 0,
  recorded: 1,
  batched: 2,
  'in-flight': 3,
  attempt: 4,
  split: 5,
  settled: 6,
  operation: 7,
  confirmed: 8,
}

/** A batch is formed by the statement that begins its first attempt, whose moment is that statement's start. */
function formedAt({ createdAt, attempts, attemptStartedAt }: BatchDetail): Date {
  const first = attempts[0] ? new Date(attempts[0].at) : attemptStartedAt
  return first !== null && first < createdAt ? first : createdAt
}

function entriesOf(batch: BatchDetail, half: BatchDetail | undefined, isHalf: boolean): TimelineEntry[] {
  const entries: TimelineEntry[] = []
  if (!isHalf) entries.push({ at: formedAt(batch), kind: 'batched', text: `Put in ${named(batch)}.` })
  for (const [i, attempt] of batch.attempts.entries()) {
    entries.push({ at: new Date(attempt.at), kind: 'attempt', text: attemptText(batch, i, attempt), attempt })
  }
  if (batch.attemptStartedAt !== null) {
    const text = `A request with batch ${batch.batchId} went out; its outcome is not known yet.`
    entries.push({ at: batch.attemptStartedAt, kind: 'in-flight', text })
  }
  if (half !== undefined && batch.settledAt !== null) {
    const text = `Batch ${batch.batchId} was refused and split to find out why; it went on in ${named(half)}.`
    entries.push({ at: batch.settledAt, kind: 'split', text })
  }
  return entries
}

function named({ batchId, messages, wireBytes }: BatchDetail): string {
  const size = `${Math.max(1, Math.round(wireBytes / 1000))} KB`
  return messages === 1
    ? `batch ${batchId}, alone (${size})`
    : `batch ${batchId}, one of ${messages} (${size})`
}

const VERDICTS: Record<string, string> = {
  accepted: 'accepted',
  'refused-message': 'refused because of what was sent',
  'refused-source': 'refused because of the source',
  throttled: 'too many requests',
  unreachable: 'Segment could not be reached',
  ambiguous: 'no usable answer, Segment may have it',
  lost: 'the process ended, Segment may have it',
}

function attemptText(batch: BatchDetail, i: number, attempt: Attempt): string {
  // The history keeps the first 5 attempts and the last 45: the later ones are numbered from the end.
  const left = batch.attempts.length - i
  const number = i < 5 ? i + 1 : batch.attemptCount - left + 1
  const status = attempt.status === undefined ? '' : `, HTTP ${attempt.status}`
  const took = attempt.ms === undefined ? '' : `, after ${duration(attempt.ms)}`
  const why = attempt.error === undefined ? '' : `: ${attempt.error}`
  return `Attempt ${number}: ${VERDICTS[attempt.verdict] ?? attempt.verdict}${status}${took}${why}`
}

function operationEntry({ at, actor, action, reason, messages }: AuditEntry): TimelineEntry {
  const text = `${actor}: ${action}, ${plural(messages, 'message')} of a selection that it matches (${reason})`
  return { at, kind: 'operation', text }
}

function settledText({ status, reason }: MessageRow): string {
  const state = status.charAt(0).toUpperCase() + status.slice(1)
  return reason === null ? `${state}.` : `${state}: ${reason}`
}
