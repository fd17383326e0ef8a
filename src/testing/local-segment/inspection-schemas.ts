import { z } from 'zod'
import type { SegmentFault } from './faults'

const region = z.enum(['us', 'eu'])
const milliseconds = z.number().int().min(0).max(86_400_000)
const accepted = z.boolean().optional()

/** Body of `POST /_local/write-keys`. */
export const writeKeyBody = z.strictObject({
  key: z.string().min(1),
  region: region.optional(),
  workspace: z.string().min(1).optional(),
  source: z.string().min(1).optional(),
})

/** Query of the lists of messages; `after` is the `n` of the last row seen. */
export const messageQuery = z.strictObject({
  writeKey: z.string().optional(),
  userId: z.string().optional(),
  type: z.string().optional(),
  event: z.string().optional(),
  messageId: z.string().optional(),
  after: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
})

/** Query of the list of requests. */
export const requestQuery = messageQuery.pick({ writeKey: true, after: true, limit: true })

const fault = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('status'),
    status: z.number().int().min(200).max(599),
    body: z.union([z.string(), z.record(z.string(), z.unknown())]).optional(),
    headers: z.record(z.string(), z.string()).optional(),
    accepted,
  }),
  z.strictObject({
    kind: z.enum(['timeout', 'success-false', 'garbage-body', 'empty-body', 'slow-body', 'truncated-body']),
    accepted,
  }),
  z.strictObject({ kind: z.enum(['reset-before-read', 'reset-after-accept', 'reset-mid-response']) }),
  z.strictObject({ kind: z.literal('delay'), ms: milliseconds }),
  z.strictObject({
    kind: z.literal('redirect'),
    status: z.union([z.literal(301), z.literal(302), z.literal(303), z.literal(307), z.literal(308)]),
    location: z.string().min(1),
  }),
  z
    .strictObject({
      kind: z.literal('poison'),
      event: z.string().optional(),
      messageIds: z.array(z.string()).min(1).optional(),
    })
    .refine((poison) => poison.event !== undefined || poison.messageIds !== undefined, {
      error: 'name the poison by event, by messageIds or by both',
    }),
  // A host that is down cannot be told to come back: it must be said before for how long.
  z.strictObject({ kind: z.literal('refuse-connections'), region: region.optional(), forMs: milliseconds }),
])

/** Body of `POST /_local/faults`. */
export const faultBody = z.strictObject({
  fault: fault.transform(
    (ordered): SegmentFault => (ordered.kind === 'poison' ? poisonBy(ordered) : ordered),
  ),
  times: z.number().int().min(1).optional(),
  writeKey: z.string().optional(),
  on: z.enum(['tracking', 'settings']).optional(),
})

function poisonBy({ event, messageIds }: { event?: string; messageIds?: string[] }): SegmentFault {
  return {
    kind: 'poison',
    predicate: (message) =>
      (event === undefined || message.event === event) &&
      (messageIds === undefined || messageIds.includes(String(message.messageId))),
  }
}
