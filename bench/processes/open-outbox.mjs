import { load } from '../../scripts/storm-build.mjs'
import { SECRET_KEYS } from '../lib/world.mjs'

/** The outbox of a process that `startChild` started, and what else it was given. */
export async function openOutbox() {
  const {
    folder,
    url,
    sinkUrl,
    poolSize = 10,
    outbox: options = {},
    ...given
  } = JSON.parse(process.env.BENCH)
  const { createDataSource, createOutbox } = await load(folder)
  const dataSource = await createDataSource({ url, poolSize, logging: false }).initialize()
  const outbox = createOutbox({ dataSource, secretKeys: SECRET_KEYS, segment: { host: sinkUrl }, ...options })
  process.on('disconnect', () => process.exit(0))
  return { dataSource, outbox, ...given }
}
