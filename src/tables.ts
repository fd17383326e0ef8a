import type { DataSource } from 'typeorm'

/** Qualified, quoted names of the outbox's relations, and of the function that records. */
export interface Tables {
  readonly message: string
  readonly batch: string
  readonly source: string
  readonly delivery: string
  readonly audit: string
  readonly dispatcher: string
  readonly sample: string
  readonly warehouse: string
  readonly backfill: string
  readonly view: string
  readonly record: string
}

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
} as const

/**
 * The relations in the named schema, or else in the DataSource's; unqualified, and so on the search path, where neither
 * names one.
 */
export function tableNames(dataSource: Pick<DataSource, 'options'>, named?: string): Tables {
  const schema = named ?? (dataSource.options as { schema?: string }).schema
  const qualify = (name: string) => (schema ? `"${schema.replaceAll('"', '""')}"."${name}"` : `"${name}"`)
  return {
    message: qualify(names.message),
    batch: qualify(names.batch),
    source: qualify(names.source),
    delivery: qualify(names.delivery),
    audit: qualify(names.audit),
    dispatcher: qualify(names.dispatcher),
    sample: qualify(names.sample),
    warehouse: qualify(names.warehouse),
    backfill: qualify(names.backfill),
    view: qualify(names.view),
    record: qualify(names.record),
  }
}
