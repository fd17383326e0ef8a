import { OperationError } from '../../errors'
import { checkOperation } from '../../operate/selection'
import type { GoTo, Visit } from '../visit'
import { choices } from './choices'
import { readSelection } from './selection-query'

/** Starts what was chosen on the review page, and goes on to the page of its progress. */
export async function startOperation({ outbox, operations, operator, form, link }: Visit): Promise<GoTo> {
  const { actor } = operator
  const selection = readSelection((name) => form.get(name))
  const by = { actor, reason: form.get('why')?.trim() ?? '' }
  checkOperation(selection, by)
  const choice = choices.find(({ name }) => name === form.get('choice'))
  if (!choice) {
    throw new OperationError(
      'It was not chosen what to do.',
      'The choices differ in what the portal’s warehouse will hold.',
      'Go back and choose one.',
    )
  }
  const total = choice.reach(await outbox.inspect.preview(selection))
  const id = operations.start({ ...by, title: choice.title, total }, async (progress) => ({
    result: await choice.run(outbox, selection, by, progress),
  }))
  return { goTo: link(`/operations/${id}`) }
}
