import type { Context } from 'hono'
import { html } from 'hono/html'
import type { Visitor } from './guards'
import { INTEGRATIONS, layout } from './layout'

const texts = {
  403: {
    title: 'Only for admins',
    text: 'This page is for admins of the portal. Ask one of them to make the change, or sign in with an admin’s account.',
  },
  'foreign-form': {
    title: 'Nothing was changed',
    text: 'The form that was sent did not come from this page, or is out of date. Open the page again and repeat what you did.',
  },
  404: { title: 'Not found', text: 'There is no such page.' },
  405: { title: 'Not possible', text: 'This page cannot be used that way.' },
  413: { title: 'Nothing was changed', text: 'The form that was sent is too large.' },
  500: {
    title: 'Something went wrong on our side',
    text: 'Please try again. If it happens again, contact Synap support.',
  },
} as const

/** A page that says in plain words why there is not the one that was asked for. */
export function refusalPage(c: Context, what: keyof typeof texts, visitor?: Visitor) {
  const { title, text } = texts[what]
  const main = html`<h1>${title}</h1>
<p>${text}</p>
<p><a href="${INTEGRATIONS}">Go to Integrations</a></p>`
  return c.html(layout(title, visitor, main), what === 'foreign-form' ? 403 : what)
}
