import { html } from 'hono/html'
import { COUNT_LIMIT, type Preview, SOURCE_COUNT_LIMIT } from '../../operate/inspect/types'
import type { Selection } from '../../operate/selection'
import { type Choice, choices } from '../actions/choices'
import { readSelection, selectionQuery } from '../actions/selection-query'
import { form, reasonField } from '../view/form'
import { type Html, when } from '../view/html'
import { selectionList } from '../view/selection-list'
import { table } from '../view/table'
import { counted, upTo } from '../view/words'
import type { Page, Visit } from '../visit'

/** What an operation would find, what each choice means, and the form that starts it. Nothing is changed by looking. */
export async function reviewPage(visit: Visit): Promise<Page> {
  const { outbox, query, operator, link } = visit
  const selection = readSelection((name) => query[name])
  const found = await outbox.inspect.preview(selection)
  const possible = choices.filter((choice) => choice.reach(found) > 0)
  return {
    title: 'Review',
    body: html`
    <h1>What shall become of them?</h1>
    <h2>These messages are selected</h2>
    <div class="say">${selectionList({ ...selection })}</div>
    ${foundTable(found)}
    ${
      possible.length === 0
        ? html`<p class="say">There is nothing to do: none of them is dead, uncertain or waiting.</p>
          <p><a href="${link('/failures')}">Dead and uncertain</a></p>`
        : operator.mayChange
          ? choiceForm(visit, selection, found, possible)
          : html`<p class="say">You may look, and not change anything.</p>`
    }`,
  }
}

const kinds: readonly { name: keyof Preview; label: string; what: string; limit?: number }[] = [
  {
    name: 'refused',
    label: 'Refused',
    what: 'Segment said no, and has them not. Can be sent again without risk.',
  },
  {
    name: 'inDoubt',
    label: 'In doubt',
    what: 'Segment may have them. Sending again may double them, leaving them may lose them.',
  },
  {
    name: 'diverted',
    label: 'Never sendable',
    what: 'Their content cannot be sent. Record a corrected call; these can only be discarded.',
  },
  { name: 'pending', label: 'Pending', what: 'They wait for their turn, and go out by themselves.' },
  {
    name: 'delivered',
    label: 'Delivered',
    what: 'Done. Nothing here touches them.',
    limit: SOURCE_COUNT_LIMIT,
  },
  {
    name: 'discarded',
    label: 'Discarded',
    what: 'Given up before. Nothing here touches them.',
    limit: SOURCE_COUNT_LIMIT,
  },
]

function foundTable(found: Preview): Html {
  return table(
    'What they are, at this moment',
    [
      { label: 'Kind', cell: ({ label }) => label },
      { label: 'Messages', figures: true, cell: ({ name, limit = COUNT_LIMIT }) => upTo(limit, found[name]) },
      { label: 'What that means', cell: ({ what }) => what },
    ],
    kinds.filter(({ name }) => found[name] > 0),
  )
}

function choiceForm(visit: Visit, selection: Selection, found: Preview, possible: readonly Choice[]): Html {
  const wanted =
    visit.query.choice === 'send-again' && found.refused === 0 ? 'send-again-all' : visit.query.choice
  return form(
    visit,
    '/operations',
    html`<fieldset><legend>Choose what to do</legend>${possible.map(
      (choice) => html`<label class="choice">
        <input type="radio" name="choice" value="${choice.name}" required${when(choice.name === wanted, () => html` checked`)}>
        <span><strong>${choice.title}: ${counted(choice.reach(found), 'message')}</strong>${choice.means(found)}</span></label>`,
    )}</fieldset>
    ${reasonField()}
    <p class="buttons"><button>Do it</button> <a href="${visit.link('/failures')}">Leave them as they are</a></p>`,
    { fields: selectionQuery(selection) },
  )
}
