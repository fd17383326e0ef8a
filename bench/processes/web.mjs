// A small web application that also dispatches, when it is told to.
import http from 'node:http'
import { openOutbox } from './open-outbox.mjs'

const { dataSource, outbox } = await openOutbox()
const server = http.createServer(async (request, response) => {
  const [{ count }] = await dataSource.query('SELECT count(*)::int FROM bench_business WHERE id = $1', [
    request.url.slice(1),
  ])
  const body = JSON.stringify({ count, at: new Date() })
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
  response.end(body)
})
process.on('message', async ({ start, stop }) => {
  if (start) await outbox.start()
  if (stop) await outbox.stop()
  process.send({})
})
server.listen(0, '127.0.0.1', () => process.send({ url: `http://127.0.0.1:${server.address().port}` }))
