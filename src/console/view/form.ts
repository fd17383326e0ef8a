import { html } from 'hono/html'
import type { Visit } from '../visit'
import type { Html } from './html'

/** A form that changes something. Every one of them is made here, and so carries a token. */
export function form(
  { link, token }: Visit,
  action: string,
  content: Html,
  {
    fields = {},
    look = 'stack',
  }: { fields?: Record<string, string | undefined>; look?: 'stack' | 'inline' } = {},
): Html {
  const hidden = Object.entries({ token: token(), ...fields }).filter(([, value]) => value)
  return html`<form method="post" class="${look}" action="${link(action)}">
    ${hidden.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
    ${content}
  </form>`
}

/** Why somebody does it: their words for the audit trail. `reason` is a message's own, in a selection. */
export function reasonField(): Html {
  return html`<label class="field"><span>Reason, for the audit trail</span>
    <textarea name="why" required maxlength="500" placeholder="INC-42: the proxy refused every batch for an hour"></textarea></label>`
}
