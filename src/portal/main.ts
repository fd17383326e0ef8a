import { randomUUID } from 'node:crypto'
import { synapPlan } from 'synap-outbox'
import { warehouseName } from 'synap-outbox/testing'
import { boot, type Running } from './boot'
import { INTEGRATIONS } from './dashboard/layout'
import { help, readSettings, StartError, type StartSettings } from './settings'
import { isExactlyOnce, reportDelivery } from './simulate/report'
import { playScenario, preparePortals, type Scenery } from './simulate/scenario'

/** The scenario starts in the past, so that its breaks do not lead into the future. */
const DAY_BEGAN_MS = 2 * 3_600_000

async function main(): Promise<number> {
  const settings = readSettings(process.argv.slice(2), process.env)
  if (!settings) {
    console.log(help)
    return 0
  }
  const time = { offsetMs: -DAY_BEGAN_MS }
  const running = await boot({ ...settings, clock: () => new Date(Date.now() + time.offsetMs) })
  const asked = stopSignal()
  const scenery: Scenery = { ...running, time, students: settings.students, progress }
  if (!settings.once) printWhereToLook(running)
  try {
    const playing = play(settings, running, scenery)
    const failed = await Promise.race([playing.then((ok) => !ok), asked.then(() => false)])
    if (!settings.once && !failed) {
      console.log('\nThe class is over. The portal goes on; Ctrl-C ends it.')
      await asked
    }
    return failed ? 1 : 0
  } finally {
    if (!settings.once) console.log('\nSending what waits, then stopping …')
    await running.stop({ drain: !settings.once })
  }
}

/** Plays the scenario and reports. Returns whether the delivery was exactly once. */
async function play(settings: StartSettings, running: Running, scenery: Scenery): Promise<boolean> {
  const { dataSource, outbox, segment } = running
  const run = settings.once ? `-${randomUUID().slice(0, 8)}` : ''
  const portals = await preparePortals(scenery, segment, {
    writeKey: settings.writeKey,
    warehouseUrl: running.warehouseUrl,
    run,
  })
  const played = await playScenario(scenery, portals)
  await outbox.drain()
  if (!segment) {
    console.log('Everything was sent. What Segment made of it is in the workspace’s debugger.')
    return true
  }
  if (!settings.once) return true
  const report = await reportDelivery(dataSource, outbox, segment, played)
  console.log(JSON.stringify(report))
  return isExactlyOnce(report)
}

function printWhereToLook({
  portalUrl,
  console: operations,
  databaseUrl,
  warehouseUrl,
  segment,
}: Running): void {
  console.log(`Portal          ${portalUrl}/health   (API under ${portalUrl}/api/portals/meridian)`)
  console.log(`Integrations    ${portalUrl}${INTEGRATIONS}`)
  console.log('                sign in to meridian as admin-1@meridian.example, password demonstration')
  if (segment)
    console.log('                a write key that the local Segment knows: local-write-key-of-meridian')
  console.log(`Console         ${operations.url}   (sign in as operator, password ${operations.password})`)
  if (segment) console.log(`Local Segment   ${segment.url}/_local/summary   (EU: ${segment.euUrl})`)
  console.log(`Database        ${databaseUrl}`)
  console.log('Outbox          SELECT * FROM outbox_inspection ORDER BY recorded_at DESC LIMIT 20;')
  if (warehouseUrl === undefined) return
  console.log(`Warehouse       ${warehouseUrl}   (what meridian’s Segment makes of it, loaded every 2 s)`)
  for (const event of Object.keys(synapPlan.events)) {
    const table = warehouseName(event)
    console.log(`                SELECT * FROM meridian.${table} ORDER BY received_at DESC LIMIT 5;`)
  }
}

function progress(done: number, of: number): void {
  const line = `${done} of ${of} students have sat their tests`
  if (process.stderr.isTTY) process.stderr.write(`\r${line}${done === of ? '\n' : ''}`)
  else if (done % 16 === 0 || done === of) console.error(line)
}

/** Resolves with the first SIGINT or SIGTERM; the second one ends the process at once. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false
    const stop = () => {
      if (asked) process.exit(130)
      asked = true
      resolve()
    }
    process.on('SIGINT', stop)
    process.on('SIGTERM', stop)
  })
}

main().then(
  (code) => {
    process.exitCode = code
  },
  (error) => {
    console.error(error instanceof StartError ? error.message : error)
    process.exitCode = 1
  },
)
