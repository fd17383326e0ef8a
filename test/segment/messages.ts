import { randomUUID } from 'node:crypto'
import type { OutgoingMessage } from '../../src/segment/layout'

/** A message as the outbox records it: laid out as it will be on the wire. */
export function track(body: Record<string, unknown> = {}, messageId: string = randomUUID()): OutgoingMessage {
  return {
    messageId,
    type: 'track',
    body: JSON.stringify({
      type: 'track',
      userId: 'user-1',
      event: 'Began Test',
      properties: { testId: 'test-1' },
      timestamp: '2026-03-01T09:00:00.000Z',
      ...body,
    }),
  }
}

export function tracks(count: number): OutgoingMessage[] {
  return Array.from({ length: count }, () => track())
}

/** One message of each type, with all that it may carry. */
export function oneOfEach(): OutgoingMessage[] {
  const common = {
    userId: 'user-1',
    anonymousId: 'visitor-1',
    timestamp: '2026-03-01T09:00:00.000Z',
    context: { ip: '192.0.2.1', locale: 'de', page: { path: '/tests' } },
    integrations: { All: false, Amplitude: { sessionId: 7 } },
  }
  const bodies = [
    { type: 'identify', traits: { email: 'jo@example.com', 'EI-Cohort': null } },
    {
      type: 'track',
      event: 'Began Test',
      properties: { testId: 'test-1', nested: { list: [1, 'é', null] } },
    },
    { type: 'page', name: 'Home', category: 'App', properties: { path: '/', category: 'App' } },
    { type: 'group', groupId: 'portal-1', traits: { name: 'Portal', kind: 'portal' } },
  ] as const
  return bodies.map((body) => ({
    messageId: randomUUID(),
    type: body.type,
    body: JSON.stringify({ ...common, ...body }),
  }))
}

export const bodyOf = ({ body }: OutgoingMessage) => JSON.parse(body) as Record<string, unknown>

export const idsOf = (messages: readonly { messageId: string }[]) =>
  messages.map(({ messageId }) => messageId)
