import { html } from 'hono/html'
import type { Page, Visit } from '../visit'

export function notFoundPage({ link }: Visit, text = 'There is no such page in the console.'): Page {
  return {
    title: 'Not found',
    status: 404,
    body: html`<h1>Not found</h1><p>${text}</p>
    <p class="buttons"><a class="button second" href="${link('/messages')}">Messages</a> <a href="${link('')}">Overview</a></p>`,
  }
}
