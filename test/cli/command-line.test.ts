import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import { createPackedConsumer, type PackedConsumer } from '../package/packed-consumer'
import { run } from '../package/run'
import { get, postBatch, track } from '../testing/http'

const { version } = require('../../package.json') as { version: string }

let consumer: PackedConsumer
const running: ChildProcess[] = []

beforeAll(async () => {
  consumer = await createPackedConsumer()
})
afterEach(async () => {
  for (const child of running.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGKILL')
    await once(child, 'close')
  }
})
afterAll(() => consumer?.remove())

const cli = (...args: string[]) => run(process.execPath, [consumer.bin, ...args])

/** Starts the sandbox as a process of its own, and waits until it has said where it listens. */
async function sandbox(...args: string[]) {
  const child = spawn(process.execPath, [consumer.bin, 'sandbox', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.push(child)
  let said = ''
  const announced = new Promise<void>((resolve, reject) => {
    child.on('close', (code) => reject(new Error(`The sandbox ended with ${code}: ${said}`)))
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text
        if (said.includes('It knows')) resolve()
      })
    }
  })
  await announced
  const [us = '', eu = ''] = said.match(/http:\/\/\S+:\d+/g) ?? []
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    const [code] = await once(child, 'close')
    return { code, said }
  }
  return { us, eu, said: () => said, end }
}

/** A port that is free for now. */
async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

describe('synap-outbox sandbox', () => {
  it('runs the local Segment on the ports asked for, and says where', async () => {
    const [port, euPort] = [await freePort(), await freePort()]
    const { us, eu, said, end } = await sandbox(
      ...['--port', `${port}`, '--eu-port', `${euPort}`, '--write-key', 'key-one', '--write-key', 'key-two'],
    )
    expect([us, eu]).toEqual([`http://127.0.0.1:${port}`, `http://127.0.0.1:${euPort}`])
    expect(said()).toContain('key-one, key-two')
    for (const key of ['key-one', 'key-two', 'key-none']) {
      const seen = await postBatch(us, key, [track(`message-${key}`)])
      expect(seen.status).toBe(200)
    }
    expect((await get(`${us}/v1/projects/key-two/settings`)).status).toBe(200)
    expect((await get(`${us}/v1/projects/key-none/settings`)).status).toBe(404)
    expect((await end('SIGTERM')).code).toBe(0)
  })

  it('takes free ports where none is named, and says how to make a write key known', async () => {
    const { us, eu, said, end } = await sandbox()
    expect(us).not.toBe(eu)
    expect((await get(us)).status).toBe(200)
    expect((await get(eu)).status).toBe(200)
    expect(said()).toContain('--write-key')
    await end('SIGINT')
  })

  it.each(['SIGINT', 'SIGTERM'] as const)('ends in order on %s, open connections or not', async (signal) => {
    const { us, end } = await sandbox()
    const idle = net.connect(Number(new URL(us).port), '127.0.0.1')
    idle.on('error', () => {}) // it is cut, as it should be
    await once(idle, 'connect')
    const { code, said } = await end(signal)
    expect(code).toBe(0)
    expect(said).toContain(`Stopping: ${signal}.`)
    idle.destroy()
    expect((await get(us)).error).toBe('ECONNREFUSED')
  })

  it.each(['--port', '--eu-port'])('says in one sentence that the port of %s is in use', async (option) => {
    const server = net.createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const { code, stdout, stderr } = await cli('sandbox', option, `${port}`)
    server.close()
    expect(code).toBe(1)
    expect(stdout).toBe('')
    expect(stderr).toBe(`synap-outbox: Port ${port} is in use: stop what listens there, or choose another.\n`)
  })

  it.each([
    [['--port', 'abc'], 'from 0 to 65535'],
    [['--port', '65536'], 'from 0 to 65535'],
    [['--eu-port', '-1'], 'from 0 to 65535'],
    [['--port', '4010', '--eu-port', '4010'], 'have to differ'],
    [['--write-key'], 'argument missing'],
    [['--prot', '1'], 'Did you mean --port?'],
    [['more'], 'too many arguments'],
  ])('ends with 2 for wrong use: %j', async (args, words) => {
    const { code, stdout, stderr } = await cli('sandbox', ...args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(words)
  })

  it('shows examples in its help', async () => {
    const { code, stdout, stderr } = await cli('sandbox', '--help')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('Examples:\n  $ synap-outbox sandbox --port 4010')
  })
})

describe('synap-outbox', () => {
  it('prints its version and its help', async () => {
    expect(await cli('--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
    const help = await cli('--help')
    expect(help).toMatchObject({ code: 0, stderr: '' })
    expect(help.stdout).toMatch(/^Usage: synap-outbox .*\n[\s\S]*\n {2}sandbox /)
  })

  it.each([
    [[], 'Usage:'],
    [['sandbocks'], 'Did you mean sandbox?'],
    [['--nope'], 'unknown option'],
  ])('ends with 2 and says why for %j', async (args, words) => {
    const { code, stdout, stderr } = await cli(...args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(words)
  })
})
