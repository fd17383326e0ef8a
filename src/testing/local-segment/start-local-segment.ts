import type { RequestListener } from 'node:http'
import { Core } from './core'
import { handleRequest } from './handle-request'
import { handleInspection, INSPECTION_PREFIX } from './inspection-api'
import { createLocalSegment } from './local-segment'
import type { Region } from './messages'
import { RegionalServer } from './regional-server'
import type { LocalSegment, LocalSegmentOptions } from './types'
import { welcomePage } from './welcome-page'

const LOOPBACK = '127.0.0.1'

/**
 * Starts a local Segment: two hosts on 127.0.0.1, one for each region, sharing what they have received.
 * @throws the system's error, e.g. EADDRINUSE, if a port cannot be had
 */
export async function startLocalSegment(options: LocalSegmentOptions = {}): Promise<LocalSegment> {
  const core = new Core(options)
  const listenerOf =
    (region: Region): RequestListener =>
    (request, response) => {
      const [path = '', query = ''] = (request.url ?? '').split('?', 2)
      if (path.startsWith(INSPECTION_PREFIX)) handleInspection(segment, path, query, request, response)
      else if (path === '/') response.end(welcomePage(segment))
      else handleRequest(core, region, path, request, response)
    }
  const us = await RegionalServer.start(listenerOf('us'), LOOPBACK, options.port ?? 0)
  const eu = await RegionalServer.start(listenerOf('eu'), LOOPBACK, options.euPort ?? 0).catch(
    async (error) => {
      await us.close()
      throw error
    },
  )
  core.hosts = { us: `${LOOPBACK}:${us.port}`, eu: `${LOOPBACK}:${eu.port}` }
  const segment = createLocalSegment(core, { us, eu })
  for (const writeKey of options.writeKeys ?? []) segment.addWriteKey(writeKey)
  return segment
}
