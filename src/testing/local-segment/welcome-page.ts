import type { LocalSegment } from './types'

/** The plain text at `GET /`, for whoever opens the address in a browser. */
export function welcomePage({ url, euUrl }: LocalSegment): string {
  return `The local Segment of synap-outbox. It answers as Segment's tracking API does and sends nothing anywhere.

US host and settings host   ${url}
EU host                     ${euUrl}

As Segment
  POST /v1/batch  /v1/identify  /v1/track  /v1/page  /v1/screen  /v1/group  /v1/alias
  GET  /v1/projects/<writeKey>/settings

To look inside (JSON)
  GET    /_local/summary
  GET    /_local/accepted     ?writeKey= userId= type= event= messageId= after= limit=
  GET    /_local/duplicates   the same
  GET    /_local/discarded    the same
  GET    /_local/requests     ?writeKey= after= limit=

To change something (JSON)
  POST   /_local/write-keys   {"key": "...", "region": "us"}
  DELETE /_local/write-keys/<key>
  POST   /_local/faults       {"fault": {"kind": "status", "status": 503}, "times": 3, "writeKey": "..."}
  DELETE /_local/faults
  POST   /_local/reset
`
}
