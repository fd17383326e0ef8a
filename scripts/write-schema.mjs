// Rewrites test/migrations/schema.sql from the migrations, on the tests' PostgreSQL. Look at the difference, then
// commit it with the migration.
import { spawnSync } from 'node:child_process'

const jest = [
  'node_modules/jest/bin/jest.js',
  'test/migrations/create-outbox.test.ts',
  '-t',
  'that is committed',
]
const { status } = spawnSync(process.execPath, jest, {
  stdio: 'inherit',
  env: { ...process.env, WRITE_SCHEMA: '1' },
})
process.exit(status ?? 1)
