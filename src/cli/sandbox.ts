import { type Command, InvalidArgumentError } from 'commander'
import type * as Testing from '../testing'
import type { LocalSegment } from '../testing'
import { stopSignal } from './shared/signals'

interface SandboxOptions {
  port: number
  euPort: number
  writeKey?: string[]
}

/** `synap-outbox sandbox`: the local Segment as a process of its own, until it is told to stop. */
export function addSandbox(program: Command): void {
  program
    .command('sandbox')
    .description('Run a local Segment on loopback: it answers as Segment does and sends nothing anywhere.')
    .option('--port <number>', 'port of the US host and of the settings host; 0 takes a free one', port, 0)
    .option('--eu-port <number>', 'port of the EU host; 0 takes a free one', port, 0)
    .option('--write-key <key...>', 'write keys it knows, of the US region; it drops the events of others')
    .addHelpText('after', examples)
    .action(async (options: SandboxOptions, command: Command) => {
      if (options.port !== 0 && options.port === options.euPort) {
        command.error('error: --port and --eu-port have to differ.')
      }
      await runSandbox(options)
    })
}

const examples = `
Examples:
  $ synap-outbox sandbox --port 4010 --write-key my-write-key
  $ SEGMENT_HOST=http://127.0.0.1:4010 npm start      an application that sends to it
  $ curl http://127.0.0.1:4010/                       what it has received, and how to order faults`

async function runSandbox({ port, euPort, writeKey = [] }: SandboxOptions): Promise<void> {
  const { told } = stopSignal() // before it listens: a signal from here on ends it in order
  const { startLocalSegment } = require('../testing') as typeof Testing
  const segment = await startLocalSegment({ port, euPort, writeKeys: writeKey }).catch(explain)
  console.log(announcement(segment, writeKey))
  console.log(`Stopping: ${await told}.`)
  await segment.close()
}

function announcement(segment: LocalSegment, writeKeys: readonly string[]): string {
  const known =
    writeKeys.length > 0
      ? `It knows ${writeKeys.join(', ')}.`
      : `It knows no write key yet and drops every event: pass --write-key, or see ${segment.url}/`
  return `The local Segment is listening.\n  US  ${segment.url}\n  EU  ${segment.euUrl}\n${known}`
}

function explain(error: NodeJS.ErrnoException & { port?: number }): never {
  if (error.code === 'EADDRINUSE') {
    throw new Error(`Port ${error.port} is in use: stop what listens there, or choose another.`)
  }
  if (error.code === 'EACCES') throw new Error(`Port ${error.port} may not be used by this account.`)
  throw error
}

function port(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) {
    throw new InvalidArgumentError('It has to be a whole number from 0 to 65535.')
  }
  return Number(text)
}
