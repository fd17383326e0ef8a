import type { WriteKeySource } from './write-keys'

const ALLOW_ALL = { __default: { enabled: true, integrations: {} } }

/**
 * What `GET https://cdn.segment.com/v1/projects/<writeKey>/settings` answers for a source that exists.
 * The CDN is one host for both regions; `apiHost` names the one that events of this source belong to.
 * The fields are those that Segment's browser library reads (segmentio/analytics-next, `CDNSettings`).
 */
export function sourceSettings(
  writeKey: string,
  source: WriteKeySource,
  hosts: Readonly<Record<'us' | 'eu', string>>,
): object {
  return {
    integrations: {
      'Segment.io': {
        apiKey: writeKey,
        apiHost: `${hosts[source.region]}/v1`,
        unbundledIntegrations: [],
        addBundledMetadata: true,
        maybeBundledConfigIds: {},
        versionSettings: { version: '4.4.7', componentTypes: ['browser'] },
      },
    },
    plan: { track: ALLOW_ALL, identify: ALLOW_ALL, group: ALLOW_ALL },
    edgeFunction: {},
    analyticsNextEnabled: true,
    middlewareSettings: {},
    enabledMiddleware: {},
    metrics: { sampleRate: 0 },
    legacyVideoPluginsEnabled: false,
    remotePlugins: [],
  }
}

const SETTINGS_PATH = /^\/v1\/projects\/([^/]+)\/settings$/

/** The write key in the path of a settings request, or undefined if the path is another. */
export function writeKeyOfSettingsPath(path: string): string | undefined {
  const encoded = SETTINGS_PATH.exec(path)?.[1]
  try {
    return encoded === undefined ? undefined : decodeURIComponent(encoded)
  } catch {
    return encoded
  }
}
