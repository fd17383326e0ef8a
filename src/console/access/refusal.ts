import { html } from 'hono/html'
import type { Html } from '../view/html'
import { plain } from '../view/layout'
import type { Link } from '../view/links'

export type Refusal = 'not-let-in' | 'reader' | 'forged' | 'failed'

const words: Record<Refusal, { title: string; text: string }> = {
  'not-let-in': {
    title: 'You may not look at this',
    text: 'The operations console is for people whom the application lets in. Sign in to the application first, or ask who looks after it.',
  },
  reader: {
    title: 'You may look, and not change anything',
    text: 'Nothing was changed. The application decides who may; ask who looks after it.',
  },
  forged: {
    title: 'This form was not sent from the console',
    text: 'Nothing was changed. It may also have been open for more than twelve hours: go back, load the page again, and send it once more.',
  },
  failed: {
    title: 'It could not be found out whether you may look',
    text: 'The application’s check failed, and so nobody is let in. Try again; if it stays, look at the application’s log.',
  },
}

/** A page with nothing of the outbox in it. */
export function refused(link: Link, refusal: Refusal): Html {
  const { title, text } = words[refusal]
  return plain(link, title, html`<h1>${title}</h1><p>${text}</p>`)
}
