import { VERSION } from '../../src/version'

it('the version that processes show is that of the package', () => {
  const { version } = require('../../package.json') as { version: string }
  expect(VERSION).toBe(version)
})
