/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: '<rootDir>/test/support/environment.ts',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  moduleNameMapper: {
    '^synap-outbox$': '<rootDir>/src/index.ts',
    '^synap-outbox/console$': '<rootDir>/src/console/index.ts',
    '^synap-outbox/testing$': '<rootDir>/src/testing/index.ts',
    // A thread does not load what jest compiles: it runs the build that the global setup has made.
    '^[.]/layout-thread-entry[.]js$': '<rootDir>/dist/src/segment/layout-thread-entry.js',
  },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          target: 'es2023',
          keepClassNames: true,
        },
        module: { type: 'commonjs', ignoreDynamic: true },
      },
    ],
  },
  testTimeout: 30_000,
  maxWorkers: 2,
  // A leak is reported by the environment; it must not hang the run as well.
  forceExit: true,
}
