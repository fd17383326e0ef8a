// Stands in for Segment, in a process of its own: takes requests as a batch endpoint does, answers 200, and keeps
// the messageIds that arrived and when. Leaner than the local Segment of `synap-outbox/testing`, which judges every
// message: on a machine with few cores that would be measured along with the sender.
import http from 'node:http'

const MARK = Buffer.from('"messageId":"')
const ID_LENGTH = 36
const SUCCESS = '{"success":true}'

let state

function reset({ responseDelayMs = 0, delays = {}, keepArrivals = false } = {}) {
  const byKey = Object.entries(delays).map(([key, ms]) => [authorization(key), ms])
  state = {
    responseDelayMs,
    delays: new Map(byKey),
    arrivals: keepArrivals ? [] : undefined,
    ids: new Set(),
    duplicates: 0,
    requests: 0,
    bytes: 0,
  }
}

function authorization(writeKey) {
  return `Basic ${Buffer.from(`${writeKey}:`).toString('base64')}`
}

function take(body, at) {
  state.requests++
  state.bytes += body.length
  for (let from = body.indexOf(MARK); from >= 0; from = body.indexOf(MARK, from + ID_LENGTH)) {
    from += MARK.length
    const id = body.latin1Slice(from, from + ID_LENGTH)
    if (state.ids.has(id)) state.duplicates++
    state.ids.add(id)
    state.arrivals?.push([id, at])
  }
}

const server = http.createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const at = performance.timeOrigin + performance.now() // when the request's head has arrived
  const chunks = []
  request.on('data', (chunk) => chunks.push(chunk))
  request.on('end', () => {
    const delay = state.delays.get(request.headers.authorization) ?? state.responseDelayMs
    if (request.method === 'POST') take(Buffer.concat(chunks), at)
    const answer = () => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': SUCCESS.length })
      response.end(SUCCESS)
    }
    if (delay > 0 && request.method === 'POST') setTimeout(answer, delay)
    else answer()
  })
})

process.on('disconnect', () => process.exit(0))
process.on('message', ({ id, reset: settings, arrivals }) => {
  if (settings) reset(settings)
  const { ids, duplicates, requests, bytes } = state
  const cpuMs = process.cpuUsage().user / 1000
  const seen = { accepted: ids.size, duplicates, requests, bytes, cpuMs }
  process.send({ id, ...seen, ...(arrivals ? { arrivals: state.arrivals } : {}) })
})

reset()
server.listen(0, '127.0.0.1', () => process.send({ url: `http://127.0.0.1:${server.address().port}` }))
