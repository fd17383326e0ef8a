import { html, raw } from 'hono/html'
import type { Page, Visit } from '../visit'
import { type Html, shown, when } from './html'
import type { Link } from './links'
import { stylePath } from './style'

const places = [
  ['/', 'Overview'],
  ['/messages', 'Messages'],
  ['/failures', 'Dead and uncertain'],
  ['/sources', 'Sources'],
  ['/audit', 'Audit trail'],
  ['/doctor', 'Doctor'],
] as const

/** The frame around every page. */
export function layout(visit: Visit, page: Page): Html {
  const { link, operator, path } = visit
  const isHere = (place: string) => path === place || (place !== '/' && path.startsWith(`${place}/`))
  return frame(
    link,
    page.title,
    html`<a class="skip" href="#main">Skip to the page’s content</a>
    <header class="top">
      <p class="brand"><a href="${link('')}">Outbox</a></p>
      <nav aria-label="Pages">${places.map(
        ([place, name]) =>
          html`<a href="${link(place === '/' ? '' : place)}"${when(isHere(place), () => html` aria-current="page"`)}>${name}</a>`,
      )}</nav>
      <p class="who">${shown(operator.actor)}${when(!operator.mayChange, () => html` · may look only`)}</p>
    </header>
    <main id="main" tabindex="-1">${page.body}</main>`,
    page.refreshSeconds,
  )
}

/** A page without anything of the outbox, for those who are not let in. */
export function plain(link: Link, title: string, body: Html): Html {
  return frame(link, title, html`<main id="main" class="plain">${body}</main>`)
}

function frame(link: Link, title: string, body: Html, refreshSeconds?: number): Html {
  return html`${raw('<!doctype html>')}
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
${when(refreshSeconds, () => html`<meta http-equiv="refresh" content="${refreshSeconds}">`)}
<title>${title} · Outbox</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${link(stylePath)}">
</head>
<body>${body}</body>
</html>
`
}
