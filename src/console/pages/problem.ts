import { html } from 'hono/html'
import { OutboxError } from '../../errors'
import type { ConsoleOutbox } from '../options'
import { type Html, shown } from '../view/html'
import type { Page } from '../visit'

/** What went wrong, as a page: an error of the module in its three parts, anything else without its details. */
export async function problemPage(
  error: unknown,
  outbox: ConsoleOutbox,
  onError: (error: unknown) => void,
): Promise<Page> {
  if (error instanceof OutboxError)
    return {
      title: 'That cannot be done',
      status: 400,
      body: html`<h1>That cannot be done</h1>${threeParts(error)}`,
    }
  onError(error)
  if (await isDatabaseDown(outbox)) {
    return {
      title: 'The database does not answer',
      status: 503,
      refreshSeconds: 15,
      body: html`<h1>The database does not answer</h1>
      <div class="say bad"><p class="why">The outbox’s tables cannot be read at this moment.</p>
      <p>Nothing is lost: what was recorded is in the database, and no message is sent without it. What is recorded needs it too, as the business transaction does.</p>
      <p>Look at the database first, and then at the application’s pool of connections. This page tries again every 15 seconds.</p></div>`,
    }
  }
  return {
    title: 'This page failed',
    status: 500,
    body: html`<h1>This page failed</h1><p>The error was handed to the application (<code>onError</code> of <code>createConsole</code>), and is not shown here. Sending goes on without the console.</p>`,
  }
}

/** What happened, why it matters, what to do. */
export function threeParts(error: OutboxError): Html {
  const [happened, matters, remedy] = error.parts
  return html`<div class="say bad"><p class="why">${shown(happened)}</p><p>${shown(matters)}</p><p><strong>What to do:</strong> ${shown(remedy)}</p></div>`
}

async function isDatabaseDown(outbox: ConsoleOutbox): Promise<boolean> {
  const { status } = await outbox.inspect.health().catch(() => ({ status: 'unavailable' }))
  return status === 'unavailable'
}
