import { Analytics, type AnalyticsSettings } from '@segment/analytics-node'

/** The official clients of a test, as they ship: only the key, the host and what a case is about are set. */
export interface OfficialClients {
  create(settings?: Partial<AnalyticsSettings>): Analytics
  /** Ends what they still try to do. Call before the server they talk to closes. */
  end(): Promise<void>
}

export function officialClients(host: () => string): OfficialClients {
  let clients: Analytics[] = []
  return {
    create(settings = {}) {
      const client = new Analytics({ writeKey: 'key', host: host(), ...settings })
      clients.push(client)
      return client
    },
    async end() {
      await Promise.all(clients.map((client) => client.closeAndFlush({ timeout: 1 })))
      clients = []
    },
  }
}

/** What the client says became of its next call: the type of the call for a delivery, or an error. */
export function report(client: Analytics): Promise<'delivered' | 'failed'> {
  return new Promise((resolve) => {
    for (const type of ['track', 'identify', 'page', 'group'] as const) {
      client.once(type, () => resolve('delivered'))
    }
    client.once('error', () => resolve('failed'))
  })
}
