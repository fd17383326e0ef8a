import type { Command } from 'commander'
import { moment } from '../operate/inspect/words'
import type { Warehouse } from '../reconcile/warehouses'
import { safe } from './output/safe-text'
import { Screen } from './output/screen'
import { printTable } from './output/table'
import { count } from './output/words'
import { WrongUseError } from './shared/cli-error'
import { closing, databaseCommand, exits, type OutputOptions } from './shared/command'
import { type ConnectionOptions, withOutbox } from './shared/connection'
import { ExitCode } from './shared/exit-codes'
import { findSource } from './shared/find-source'
import { numberFrom, wholeNumber } from './shared/numbers'

type Options = ConnectionOptions & OutputOptions

interface ConnectOptions extends Options {
  warehouseSchema: string
  lagHours?: number
  canaryMinutes?: number
}

export function addWarehouses(program: Command): void {
  const warehouses = program
    .command('warehouses')
    .description('Where the portals’ events end up: list them, save one, forget one.')
    .helpCommand(false)
  databaseCommand(warehouses, 'list', {
    isDefault: true,
    description: 'List the warehouses that are known, with what was last found there.',
    examples: ['warehouses', 'warehouses --json'],
    attention: 'messages were missing, or a canary is lost',
  }).action(exits(list))
  databaseCommand(
    warehouses,
    'connect',
    {
      description:
        'Save where a portal’s warehouse is, or replace it. Its address is taken from WAREHOUSE_URL, tried, and stored ' +
        'encrypted. A role that may only SELECT is enough.',
      examples: ['warehouses connect meridian --warehouse-schema meridian_production --lag-hours 2'],
    },
    (command) =>
      command
        .argument('<portal>', 'the portal’s id, or the source’s')
        .requiredOption('--warehouse-schema <name>', 'the source’s schema in it, as Segment named it')
        .option(
          '--lag-hours <hours>',
          'when a message has to have arrived (default 48)',
          numberFrom(0.1, 720),
        )
        .option('--canary-minutes <minutes>', 'send a canary so often, and follow it', wholeNumber(5, 1440)),
  ).action(exits(connect))
  databaseCommand(
    warehouses,
    'disconnect',
    { description: 'Forget where a portal’s warehouse is.', examples: ['warehouses disconnect meridian'] },
    (command) => command.argument('<portal>', 'the portal’s id, or the source’s'),
  ).action(exits(disconnect))
  warehouses.addHelpText('after', closing({ examples: ['warehouses', 'warehouses connect --help'] }))
}

/** The address of a warehouse; never an option, since process lists show those. */
export function warehouseUrl(): string {
  const url = process.env.WAREHOUSE_URL
  if (url) return url
  throw new WrongUseError(
    'WAREHOUSE_URL is not set.',
    'The address holds a password, so it is not taken from the command line.',
    'Set it to one such as postgres://reader:password@host:5432/database.',
  )
}

async function list(options: Options): Promise<ExitCode> {
  const screen = new Screen()
  const warehouses = await withOutbox(options, ({ outbox }) => outbox.warehouses.list())
  const bad = ({ missing, canaryLostSince }: Warehouse) => missing > 0 || canaryLostSince !== null
  if (options.json) screen.printJson({ warehouses })
  else if (warehouses.length === 0) screen.say('No warehouse is known.')
  else {
    printTable<Warehouse>(
      screen,
      [
        { title: 'portal', cell: ({ portalId }) => portalId, least: 8 },
        { title: 'schema', cell: ({ schema }) => schema, least: 8, dispensable: 1 },
        { title: 'compared', cell: ({ reconciledAt }) => (reconciledAt ? moment(reconciledAt) : 'never') },
        {
          title: 'missing',
          cell: ({ missing }) => count(missing),
          right: true,
          tone: ({ missing }) => (missing > 0 ? 'bad' : 'dim'),
        },
        {
          title: 'canary',
          cell: ({ canaryMinutes, canaryLostSince }) =>
            canaryLostSince
              ? `lost since ${moment(canaryLostSince)}`
              : canaryMinutes
                ? `every ${canaryMinutes} min`
                : '-',
          tone: ({ canaryLostSince }) => (canaryLostSince ? 'bad' : 'dim'),
        },
        { title: 'lag', cell: ({ lagHours }) => `${lagHours} h`, right: true, dispensable: 2 },
      ],
      warehouses,
    )
  }
  return warehouses.some(bad) ? ExitCode.ATTENTION : ExitCode.FINE
}

async function connect(portal: string, options: ConnectOptions): Promise<undefined> {
  const screen = new Screen()
  const url = warehouseUrl()
  const { warehouseSchema: schema, lagHours, canaryMinutes } = options
  const warehouse = await withOutbox(
    options,
    async ({ outbox }) => {
      const { sourceId } = await findSource(outbox.inspect, portal)
      return outbox.warehouses.connect({ sourceId, url, schema, lagHours, canaryMinutes })
    },
    { secretKeys: true },
  )
  if (options.json) screen.printJson({ warehouse })
  else
    screen.print(
      `The warehouse of ${safe(warehouse.portalId)} is saved. Compare with: synap-outbox reconcile --portal ${safe(portal)}`,
    )
}

async function disconnect(portal: string, options: Options): Promise<undefined> {
  const screen = new Screen()
  const forgotten = await withOutbox(options, async ({ outbox }) => {
    const { sourceId } = await findSource(outbox.inspect, portal)
    return outbox.warehouses.disconnect(sourceId)
  })
  if (options.json) screen.printJson({ forgotten })
  else screen.print(forgotten ? 'It is forgotten.' : 'No warehouse was known.')
}
