import { randomUUID } from 'node:crypto'

/** Bytes of the body, roughly, as Synap's events have them: an ordinary one, and one with much context. */
export const SIZES = { small: 400, large: 2000 }

/** A portal's events come from so many, in no order. */
export const USERS = 10_000

const request = {
  ip: '203.0.113.57',
  locale: 'en-GB',
  timezone: 'Europe/London',
  userAgent: 'Mozilla/5.0 (X11; Linux x86_64)',
}

/** A call of `Submitted Test`, a new fact each time. */
export function submittedTest(portalId, size = 'small') {
  return {
    portalId,
    userId: `user-${Math.floor(Math.random() * USERS)}`,
    properties: {
      testId: 'anatomy-1',
      attemptId: randomUUID(),
      attemptNumber: 1,
      durationSeconds: 1260,
      requiresMarking: false,
    },
    context: contextOf(size),
  }
}

/** The body that recording such a call stores; its userId and attemptId are for the database to replace. */
export function storedBody(size) {
  const { userId, properties, context } = submittedTest('', size)
  const timestamp = new Date().toISOString()
  return { type: 'track', userId, event: 'Submitted Test', properties, timestamp, context }
}

/** The same as a message for the official client. */
export function messages(count, size) {
  return Array.from({ length: count }, () => {
    const { type: _, ...body } = storedBody(size)
    return { ...body, messageId: randomUUID() }
  })
}

function contextOf(size) {
  // A copy: the official client adds its own name to the context that it is given.
  if (size === 'small') return { ...request }
  const url = 'https://meridian.example.com/tests/anatomy-1/attempts/review?section='
  const pages = Array.from({ length: 17 }, (_, i) => ({ url: `${url}${i}`, seconds: 40 + i }))
  return { ...request, pages }
}
