import type { GoTo, Visit } from '../visit'

export async function cancelOperation({ operations, param, link }: Visit): Promise<GoTo> {
  operations.cancel(param('id'))
  return { goTo: link(`/operations/${param('id')}`) }
}
