import { createOutbox, OptionsError, SecretKeyError } from 'synap-outbox'
import { createDataSource } from '../ormconfig'

const secretKeys = `k1:${Buffer.alloc(32, 1).toString('base64')}`
const dataSource = createDataSource({ url: 'postgres://nobody@127.0.0.1:1/none' })
const create = (options: object) => () => createOutbox({ dataSource, secretKeys, ...options } as never)

describe('createOutbox refuses at construction, naming the option and the remedy', () => {
  it.each([
    ['an unknown option', { dispacher: {} }, /no option "dispacher".*Did you mean "dispatcher"\?/],
    [
      'an unknown nested option',
      { dispatcher: { leaseMS: 1 } },
      /"dispatcher\.leaseMS".*"dispatcher\.leaseMs"/,
    ],
    ['an unknown option like no other', { colour: 1 }, /options here are dataSource, secretKeys/],
    [
      'a value out of bounds',
      { dispatcher: { concurrency: 0 } },
      /"dispatcher\.concurrency".*from 1 to 256; default 16/,
    ],
    [
      'a window beyond Segment’s',
      { dispatcher: { dedupWindowMs: 90_000_000 } },
      /dedupWindowMs.*to 86400000; default 82800000/,
    ],
    ['a wrong type', { segment: { timeoutMs: '10s' } }, /"segment\.timeoutMs".*whole number/],
    [
      'a cron expression that is none',
      { dispatcher: { cron: 'often' } },
      /"dispatcher\.cron".*cron expression/,
    ],
    ['a host that is none', { segment: { host: 'segment' } }, /"segment\.host"/],
    [
      'a request that outlives its lease',
      { segment: { timeoutMs: 20_000 } },
      /more than half of dispatcher\.leaseMs/,
    ],
    [
      'pauses that contradict',
      { dispatcher: { backoff: { initialMs: 5000, maxMs: 10 } } },
      /initialMs \(5000\) is above maxMs/,
    ],
    [
      'too short a memory of what was sent',
      { retention: { deliveredDays: 0.5 } },
      /shorter than dispatcher\.dedupWindowMs/,
    ],
    ['a logger that is none', { logger: {} }, /"logger".*debug, info, warn and error/],
    ['another database', { dataSource: { options: { type: 'sqlite' } } }, /"dataSource".*postgres/],
    [
      'synchronize',
      { dataSource: createDataSource({ synchronize: true }) },
      /`synchronize` on.*run migrations/,
    ],
  ])('%s', (_, options, message) => {
    expect(create(options)).toThrow(OptionsError)
    expect(create(options)).toThrow(message)
  })

  it.each([
    ['none', undefined, /No secret key is given/],
    ['an empty one', ' ', /No secret key is given/],
    ['one without an id', Buffer.alloc(32).toString('base64'), /number 1 is not an id/],
    [
      'one of 16 bytes',
      `k1:${Buffer.alloc(16).toString('base64')}`,
      /number 1 is not an id, a colon and 32 bytes/,
    ],
    ['the same id twice', `${secretKeys},${secretKeys}`, /"k1" is given twice/],
  ])('secret keys: %s', (_, keys, message) => {
    expect(create({ secretKeys: keys })).toThrow(SecretKeyError)
    expect(create({ secretKeys: keys })).toThrow(message)
    if (keys && keys.length > 10) expect(create({ secretKeys: keys })).not.toThrow(keys)
  })

  it('takes the least there is', () => {
    expect(create({})).not.toThrow()
  })
})
