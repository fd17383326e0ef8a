import { html } from 'hono/html'
import type { NoticeText } from './flash'
import type { Visitor } from './guards'

/** A piece of a page. Everything put into it with `${…}` is escaped. */
export type Html = ReturnType<typeof html>

export const BASE = '/portal-dashboard'
export const INTEGRATIONS = `${BASE}/settings/integrations`

/** A whole page. `visitor` is whoever is signed in. */
export function layout(title: string, visitor: Visitor | undefined, main: Html): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · ${visitor?.portal.name ?? 'Synap'}</title>
<link rel="stylesheet" href="${BASE}/style.css">
<link rel="icon" href="data:,">
</head>
<body>
<header class="top">
<p class="brand">${visitor?.portal.name ?? 'Synap'}</p>
${visitor && signedIn(visitor)}
</header>
<main>
${main}
</main>
</body>
</html>`
}

function signedIn(visitor: Visitor): Html {
  return html`<form class="who" method="post" action="${BASE}/sign-out">
${tokenField(visitor)}<span>${visitor.user.email}</span>
<button class="plain">Sign out</button>
</form>`
}

export function tokenField({ formToken }: Visitor): Html {
  return html`<input type="hidden" name="formToken" value="${formToken}">`
}

/** What the last form did. It takes the focus, so that a screen reader says it first. */
export function noticeBox({ text, warning }: NoticeText): Html {
  return html`<p class="notice${warning ? ' warning' : ''}" role="status" tabindex="-1" autofocus>${text}</p>`
}

/** What has to be corrected, with a link to its field. It takes the focus. */
export function errorSummary(title: string, { field, wrong }: { field: string; wrong: string }): Html {
  return html`<div class="errors" role="alert" tabindex="-1" autofocus aria-labelledby="errors-title">
<h2 id="errors-title">${title}</h2>
<p><a href="#${field}">${wrong}</a></p>
</div>`
}
