// The tests of pure functions, without PostgreSQL: what Stryker runs for each of its mutants.
const { globalSetup: _setup, globalTeardown: _teardown, ...base } = require('./jest.config.cjs')

process.env.PROPERTY_RUNS ??= '50'

/** @type {import('jest').Config} */
module.exports = {
  ...base,
  testEnvironment: 'node',
  testMatch: [
    '**/test/segment/{verdict,backoff}.test.ts',
    '**/test/record/snapshot.test.ts',
    '**/test/plan/fact-digest.test.ts',
  ],
}
