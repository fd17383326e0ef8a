// What touches TypeORM, on the oldest line that is supported: `npm run test:typeorm-0.3`.
const base = require('./jest.config.cjs')

/** @type {import('jest').Config} */
module.exports = {
  ...base,
  testMatch: ['**/test/{record,dispatch,sources,operate}/*.test.ts'],
  moduleNameMapper: { ...base.moduleNameMapper, '^typeorm$': require.resolve('typeorm-0.3') },
}
