import { Column, Entity, PrimaryColumn } from 'typeorm'

export type AuditAction =
  | 'send again'
  | 'mark delivered'
  | 'discard'
  | 'erase'
  | 'connect'
  | 'save write key'
  | 'pause'
  | 'resume'
  | 'retry now'
  | 'disable'
  | 'change settings'
  | 'rotate secret'

/** What people did to messages and sources. For reading only. */
@Entity('outbox_audit', { synchronize: false })
export class OutboxAudit {
  @PrimaryColumn('bigint', { name: 'audit_id' })
  auditId!: string

  @Column('timestamptz')
  at!: Date

  @Column('uuid', { name: 'source_id', nullable: true })
  sourceId!: string | null

  @Column('integer')
  messages!: number

  @Column('text')
  actor!: string

  @Column('text')
  action!: AuditAction

  @Column('text')
  reason!: string

  @Column('jsonb')
  selection!: Record<string, unknown>
}
