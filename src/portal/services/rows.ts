import { type EntityManager, type EntityTarget, type ObjectLiteral, QueryFailedError } from 'typeorm'
import type { PortalRow } from '../../../entities/portal/portal-row'

/**
 * Inserts what is not there yet, and answers the ids of the rows that were new.
 * Where another transaction is inserting the same row, it waits for that one's end: one of the two gets the id.
 */
export async function insertNew<Row extends PortalRow>(
  tx: EntityManager,
  entity: EntityTarget<Row>,
  rows: readonly Partial<Row>[],
): Promise<string[]> {
  const values = rows as Parameters<typeof tx.insert<Row & ObjectLiteral>>[1]
  const insert = tx.createQueryBuilder().insert().into<Row & ObjectLiteral>(entity).values(values).orIgnore()
  const result = await insert.returning('id').execute()
  return (result.raw as { id: string }[]).map((row) => row.id)
}

/** Whether an error is the refusal of this unique constraint or index. */
export function isUniqueViolation(error: unknown, constraint: string): boolean {
  if (!(error instanceof QueryFailedError)) return false
  const cause = error.driverError as { code?: string; constraint?: string }
  return cause.code === '23505' && cause.constraint === constraint
}
