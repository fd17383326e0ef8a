/** What is sent back. Objects go out as JSON, strings as they are. */
export interface Answer {
  status: number
  body?: string | object
  headers?: Record<string, string>
}

/** Segment's answer to everything that it does not refuse at the door. */
export const SUCCESS: Answer = { status: 200, body: '{"success":true}' }

/** A refusal. The body's form is not documented; senders must not depend on it. */
export function answerOf(status: number, message: string, headers?: Record<string, string>): Answer {
  return { status, body: { success: false, message }, headers }
}
