import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/portal/embedded-postgres'
import { createTemplate } from './template'

const scratchFolder = require('./scratch-folder.cjs') as () => string

const root = path.resolve(__dirname, '../..')

declare global {
  var synapTestServer: EmbeddedPostgres | undefined
}

/** Compiles what tests start as processes of their own; one PostgreSQL for the run, or the one `DATABASE_URL` names; and one migrated template to clone from. */
export default async function globalSetup(): Promise<void> {
  // Type errors are printed, and are `npm run check`'s to fail on: tsc writes its output all the same.
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc')
  spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' })
  let url = process.env.DATABASE_URL
  if (!url) {
    const server = await startEmbeddedPostgres({
      directory: path.join(scratchFolder(), `synap-outbox-test-${process.pid}`),
      keep: false,
      settings: {
        fsync: 'off',
        max_connections: '200',
        max_prepared_transactions: '10',
        wal_level: 'logical',
      },
    })
    globalThis.synapTestServer = server
    url = server.url('postgres')
  }
  process.env.TEST_SERVER_URL = url
  process.env.TEST_TEMPLATE = await createTemplate(url)
}
