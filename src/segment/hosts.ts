import type { Region } from '../../entities'

/** Segment's tracking API, by region. The client adds `/v1/batch`. Source: Segment documentation, "Regional Segment". */
const API: Record<Region, string> = {
  us: 'https://api.segment.io',
  eu: 'https://events.eu1.segmentapis.com',
}
/** Where browsers load a source's settings from: 200 for a known write key, 404 for an unknown one. */
const SETTINGS = 'https://cdn.segment.com'

export interface HostOptions {
  host?: string | { us: string; eu: string }
  settingsHost?: string
}

/** Origin of the tracking API for a region; `host` replaces it, for a proxy or the local Segment. */
export function apiHost(options: HostOptions, region: Region): string {
  if (options.host === undefined) return API[region]
  return typeof options.host === 'string' ? options.host : options.host[region]
}

/** Origin of the settings endpoint. A replaced API host is asked as well, since it stands in for all of Segment. */
export function settingsHost(options: HostOptions, region: Region): string {
  return options.settingsHost ?? (options.host === undefined ? SETTINGS : apiHost(options, region))
}
