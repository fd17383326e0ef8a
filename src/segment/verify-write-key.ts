import type { Region, Verification } from '../../entities'
import { type HostOptions, settingsHost } from './hosts'
import { exchange } from './http-client'

export interface VerifyOptions extends HostOptions {
  /** Milliseconds until the answer is given up. */
  timeoutMs: number
}

/**
 * Asks Segment whether it knows a write key. Sending cannot tell: an unknown key is answered 200 and its events are
 * dropped. The settings endpoint that browsers use answers 200 with JSON for a known key and 404 for an unknown one.
 * Whatever else happens is `unverified`: a network failure says nothing about the key. Never throws.
 */
export async function verifyWriteKey(
  writeKey: string,
  region: Region,
  options: VerifyOptions,
): Promise<Verification> {
  const url = settingsUrl(writeKey, settingsHost(options, region))
  if (url === undefined) return 'unverified'
  const seen = await exchange({
    method: 'GET',
    url,
    headers: { Accept: 'application/json' },
    timeoutMs: options.timeoutMs,
  })
  if (seen.kind !== 'response') return 'unverified'
  if (seen.status === 404) return 'unknown'
  return seen.status === 200 && seen.complete && isJsonObject(seen.body) ? 'known' : 'unverified'
}

/** Undefined for what no URL can hold. Like the client, it takes of `host` the origin only. */
function settingsUrl(writeKey: string, host: string): string | undefined {
  try {
    return new URL(`/v1/projects/${encodeURIComponent(writeKey)}/settings`, host).href
  } catch {
    return undefined
  }
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}
