import type { Plan } from './define-plan'

/** Whether a value is what `definePlan` returned, of this or another copy of the module. */
export function isPlan(value: unknown): value is Plan {
  const { schemaHashes } = (value ?? {}) as Partial<Plan>
  return Object.prototype.toString.call(schemaHashes) === '[object Map]'
}
