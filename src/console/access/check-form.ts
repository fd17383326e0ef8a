import type { IncomingMessage } from 'node:http'
import type { Operator } from '../options'
import type { FormTokens } from './form-tokens'
import type { Refusal } from './refusal'

/** The console's largest form holds a selection and a reason. */
const MAX_FORM_BYTES = 64 * 1024

type Checked = { form: URLSearchParams } | { refusal: Refusal }

/** The form that was posted, where it is this person's to post: they may change things, and it comes from the console. */
export async function checkForm(
  request: IncomingMessage,
  operator: Operator,
  tokens: FormTokens,
): Promise<Checked> {
  if (!operator.mayChange) return { refusal: 'reader' }
  if (isFromElsewhere(request)) return { refusal: 'forged' }
  const form = await readForm(request)
  if (!form || !tokens.accepts(form.get('token') ?? '', operator.actor)) return { refusal: 'forged' }
  return { form }
}

/**
 * What the browser itself says of where a form comes from. Behind a proxy that changes Host, the name that was asked
 * for is in X-Forwarded-Host; a form on another site can set neither.
 */
function isFromElsewhere({ headers }: IncomingMessage): boolean {
  const site = headers['sec-fetch-site']
  if (site !== undefined) return site !== 'same-origin'
  const { origin } = headers
  if (origin === undefined) return false
  const forwarded = String(headers['x-forwarded-host'] ?? '').split(',')
  return ![headers.host, ...forwarded.map((host) => host.trim())].includes(hostOf(origin))
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined
}

/** The fields of the form. A body parser of the application may have read the request before. */
async function readForm(request: IncomingMessage): Promise<URLSearchParams | undefined> {
  const { body } = request as IncomingMessage & { body?: unknown }
  if (typeof body === 'string') return new URLSearchParams(body)
  if (body && typeof body === 'object' && !Buffer.isBuffer(body)) {
    const fields = Object.entries(body).filter(([, value]) => typeof value === 'string')
    return new URLSearchParams(Object.fromEntries(fields) as Record<string, string>)
  }
  if (Buffer.isBuffer(body)) return new URLSearchParams(body.toString('utf8'))
  const text = await readText(request)
  return text === undefined ? undefined : new URLSearchParams(text)
}

/** What is left of the request; undefined where it is more than any form of the console. */
async function readText(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MAX_FORM_BYTES) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
