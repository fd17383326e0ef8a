import type { IncomingMessage, ServerResponse } from 'node:http'
import { ZodError, z } from 'zod'
import type { Answer } from './answers'
import { faultBody, messageQuery, requestQuery, writeKeyBody } from './inspection-schemas'
import { toPredicate } from './messages'
import { readBody } from './read-body'
import type { LocalSegment } from './types'

/** Where the inspection API lives; no path of Segment's begins so. */
export const INSPECTION_PREFIX = '/_local/'

const MAX_BODY_BYTES = 1024 * 1024
const DONE: Answer = { status: 200, body: { done: true } }

interface Call {
  query: Record<string, string>
  /** What follows the resource in the path, decoded. */
  rest: string
  body: unknown
}

/** What another process may ask and order, by method and resource. */
const ROUTES: Record<string, (segment: LocalSegment, call: Call) => Answer | Promise<Answer>> = {
  'GET summary': (segment) => ({ status: 200, body: segment.summary() }),
  'GET accepted': (segment, { query }) => messagePage(segment.accepted(), query),
  'GET duplicates': (segment, { query }) => messagePage(segment.duplicates(), query),
  'GET discarded': (segment, { query }) => messagePage(segment.discarded(), query),
  'GET requests': (segment, { query }) => {
    const { after, limit, writeKey } = requestQuery.parse(query)
    const matches = (request: { writeKey?: string }) =>
      writeKey === undefined || request.writeKey === writeKey
    return pageOf('requests', segment.requests(), matches, after, limit)
  },
  'POST write-keys': (segment, { body }) => {
    const { key, ...source } = writeKeyBody.parse(body)
    segment.addWriteKey(key, source)
    return DONE
  },
  'DELETE write-keys': (segment, { rest }) => {
    segment.removeWriteKey(rest)
    return DONE
  },
  'POST faults': (segment, { body }) => {
    const { fault, ...options } = faultBody.parse(body)
    segment.fault(fault, options)
    return DONE
  },
  'DELETE faults': async (segment) => {
    await segment.clearFaults()
    return DONE
  },
  'POST reset': async (segment) => {
    await segment.reset()
    return DONE
  },
}

/** Answers a request below `/_local/`. None of these are recorded among the requests. */
export async function handleInspection(
  segment: LocalSegment,
  path: string,
  query: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { status, body } = await answer(segment, path, query, request).catch(refusal)
  if (response.destroyed) return
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

async function answer(
  segment: LocalSegment,
  path: string,
  query: string,
  request: IncomingMessage,
): Promise<Answer> {
  const [resource = '', rest = ''] = path.slice(INSPECTION_PREFIX.length).split('/')
  const route = `${request.method} ${resource}`
  const handle = Object.hasOwn(ROUTES, route) ? ROUTES[route] : undefined
  if (!handle) {
    const known = Object.keys(ROUTES).join(', ')
    return {
      status: 404,
      body: { error: `There is no ${route} below ${INSPECTION_PREFIX}. There are: ${known}.` },
    }
  }
  const text = (await readBody(request, MAX_BODY_BYTES)).toString()
  return handle(segment, {
    query: Object.fromEntries(new URLSearchParams(query)),
    rest: decodeURIComponent(rest),
    body: text === '' ? undefined : JSON.parse(text),
  })
}

/** Everything that fails here is the caller's mistake, and says so. */
function refusal(error: unknown): Answer {
  const message = error instanceof ZodError ? z.prettifyError(error) : (error as Error).message
  return { status: 400, body: { error: message } }
}

function messagePage(messages: ReturnType<LocalSegment['accepted']>, query: Record<string, string>): Answer {
  const { after, limit, ...filter } = messageQuery.parse(query)
  return pageOf('messages', messages, toPredicate(filter), after, limit)
}

/** Rows numbered from 1 in order of arrival; `next` is the `after` of the next page, or null at the end. */
function pageOf<Row extends object>(
  name: string,
  rows: readonly Row[],
  matches: (row: Row) => boolean,
  after: number,
  limit: number,
): Answer {
  const found: ({ n: number } & Row)[] = []
  for (let index = after; index < rows.length && found.length <= limit; index++) {
    const row = rows[index]
    if (row && matches(row)) found.push({ n: index + 1, ...row })
  }
  const shown = found.slice(0, limit)
  const next = found.length > limit ? shown.at(-1)?.n : null
  return { status: 200, body: { [name]: shown, next } }
}
