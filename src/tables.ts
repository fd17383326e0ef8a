import type { DataSource } from 'typeorm'

/** Qualified, quoted names of the outbox's relations and functions. */
export type Tables = Readonly<Record<keyof typeof names, string>>

const names = {
  message: 'outbox_message',
  batch: 'outbox_batch',
  source: 'segment_source',
  delivery: 'source_delivery',
  audit: 'outbox_audit',
  dispatcher: 'outbox_dispatcher',
  sample: 'outbox_sample',
  warehouse: 'segment_warehouse',
  backfill: 'outbox_backfill',
  view: 'outbox_inspection',
  record: 'outbox_record',
  takeLeases: 'outbox_take_leases',
  openBatch: 'outbox_open_batch',
  readAhead: 'outbox_read_ahead',
  closeBatch: 'outbox_close_batch',
} as const

/**
 * The relations in the named schema, or else in the DataSource's; unqualified, and so on the search path, where neither
 * names one.
 */
export function tableNames(dataSource: Pick<DataSource, 'options'>, named?: string): Tables {
  const schema = named ?? (dataSource.options as { schema?: string }).schema
  const qualify = (name: string) => (schema ? `"${schema.replaceAll('"', '""')}"."${name}"` : `"${name}"`)
  const qualified = Object.entries(names).map(([key, name]) => [key, qualify(name)])
  return Object.fromEntries(qualified) as unknown as Tables
}
