/** The parts that pages are made of. */
export const components = `
.badge { display: inline-block; padding: 0 .55em; border-radius: 1em; font-size: .82rem; font-weight: 600;
  line-height: 1.6; white-space: nowrap }
.good { background: var(--good-soft); color: var(--good) }
.warn { background: var(--warn-soft); color: var(--warn) }
.bad { background: var(--bad-soft); color: var(--bad) }
.calm { background: var(--calm-soft); color: var(--calm) }

.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .75rem; padding: 0; margin: 0 0 1.25rem;
  list-style: none }
.tiles > * { background: var(--sheet); border: 1px solid var(--line); border-radius: 8px; padding: .7rem .9rem }
.tiles dt, .tiles .label { color: var(--quiet); font-size: .88rem }
.tiles dd, .tiles .value { margin: 0; font-size: 1.5rem; font-weight: 650; line-height: 1.25; font-variant-numeric: tabular-nums }
.tiles .bad-number { color: var(--bad) }
.tiles .warn-number { color: var(--warn) }
.tiles .note { font-size: .85rem; color: var(--quiet); font-weight: 400; line-height: 1.35; display: block }

.say { border: 1px solid var(--line); border-left: 5px solid var(--calm); background: var(--sheet); border-radius: 8px;
  padding: .9rem 1.1rem; margin: 0 0 1.25rem }
.say.bad { border-left-color: var(--bar-bad); background: var(--sheet); color: inherit }
.say.warn { border-left-color: var(--bar-warn); background: var(--sheet); color: inherit }
.say.good { border-left-color: var(--bar-good); background: var(--sheet); color: inherit }
.say > :last-child { margin-bottom: 0 }
.say .why { font-size: 1.12rem; font-weight: 600; margin-bottom: .3rem }

.bar-of { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; justify-content: space-between; margin: 0 0 .5rem }
.bar-of > * { margin: 0 }
.choices { display: flex; flex-wrap: wrap; gap: .25rem; padding: 0; margin: 0; list-style: none }
.choices a { display: block; padding: .25rem .65rem; border-radius: 6px; text-decoration: none; border: 1px solid var(--line) }
.choices a[aria-current] { background: var(--accent); color: var(--accent-text); border-color: var(--accent) }

.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 21rem), 1fr)); gap: .75rem }
.plot { margin: 0; background: var(--sheet); border: 1px solid var(--line); border-radius: 8px; padding: .7rem .7rem .3rem }
.plot figcaption { padding: 0 .2rem .3rem }
.plot .name { font-weight: 600; display: block }
.legend { font-size: .82rem; color: var(--quiet) }
.legend span { margin-right: .6rem; white-space: nowrap }
.legend span::before { content: ""; display: inline-block; width: .7em; height: .7em; border-radius: 2px; margin-right: .35em;
  background: var(--series, var(--bar-accent)) }
.plot svg { display: block; width: 100%; height: auto }
.plot text { font-size: 11.5px; fill: var(--quiet); font-variant-numeric: tabular-nums }
.plot text.y { text-anchor: end }
.plot text.x { text-anchor: middle }
.plot text.end { text-anchor: end }
.plot text.start { text-anchor: start }
.plot text.empty { text-anchor: middle; font-size: 13px }
.plot .grid { stroke: var(--line); stroke-width: 1 }
.plot .tick { stroke: var(--quiet); stroke-width: 1 }
.plot .bar { fill: var(--series) }
.plot .line { fill: none; stroke: var(--series); stroke-width: 2.5; stroke-linecap: round; stroke-linejoin: round }
.plot .span { fill: transparent }
.plot .span:hover { fill: var(--text); fill-opacity: .08 }
.delivered, .accepted { --series: var(--bar-good) }
.dead, .not-accepted { --series: var(--bar-bad) }
.uncertain { --series: var(--bar-warn) }
.median, .waiting, .oldest-waiting { --series: var(--bar-accent) }
.p95 { --series: var(--bar-warn) }

table { width: 100%; border-collapse: separate; border-spacing: 0; background: var(--sheet); border: 1px solid var(--line);
  border-radius: 8px; margin: 0 0 1rem }
caption { text-align: left; color: var(--quiet); font-size: .9rem; padding: 0 .1rem .4rem }
th, td { text-align: left; vertical-align: top; padding: .45rem .7rem; border-top: 1px solid var(--line); font-weight: 400 }
td, tbody th { min-width: 5.5rem }
td.figures { min-width: 0 }
thead th { border-top: 0; font-size: .85rem; font-weight: 600; color: var(--quiet); white-space: nowrap }
.figures { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
tbody tr:hover { background: var(--soft) }
td time, th time, .whole { white-space: nowrap }
@media (max-width: 50rem) {
  table, tbody, tr, th, td, caption { display: block }
  thead { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden }
  table { background: none; border: 0 }
  tbody tr { background: var(--sheet); border: 1px solid var(--line); border-radius: 8px; padding: .55rem .75rem; margin: 0 0 .6rem }
  th, td { border: 0; padding: .12rem 0 }
  tbody th { font-weight: 600; padding-bottom: .25rem }
  td { position: relative; padding-left: 8rem; min-height: 1.7rem }
  td::before { content: attr(data-label); color: var(--quiet); font-size: .88rem; position: absolute; left: 0; width: 7.5rem }
  td:has(> .none:only-child) { display: none }
  .figures { text-align: left }
}

form.filter { display: grid; grid-template-columns: repeat(auto-fill, minmax(11.5rem, 1fr)); gap: .6rem .75rem; align-items: end;
  background: var(--sheet); border: 1px solid var(--line); border-radius: 8px; padding: .9rem; margin: 0 0 1.25rem }
form.inline { display: inline }
@media (max-width: 50rem) { form.filter { grid-template-columns: repeat(auto-fill, minmax(min(100%, 9rem), 1fr)) } }
label { font-size: .88rem; font-weight: 600 }
legend { font-size: 1.1rem; font-weight: 700; margin: 1rem 0 .3rem; padding: 0 }
label > span { display: block; margin-bottom: .15rem }
input, select, textarea { font: inherit; font-weight: 400; color: inherit; background: var(--ground); border: 1px solid var(--quiet); border-radius: 6px;
  padding: .35rem .5rem; width: 100%; min-height: 2.4rem }
input[type=radio] { width: 1.1rem; height: 1.1rem; min-height: 0; margin: .2rem 0 0; accent-color: var(--accent) }
textarea { min-height: 4.5rem; resize: vertical }
button, .button { font: inherit; font-weight: 600; display: inline-block; min-height: 2.4rem; padding: .4rem 1rem; border-radius: 6px;
  border: 1px solid var(--accent); background: var(--accent); color: var(--accent-text); text-decoration: none; cursor: pointer }
button.second, .button.second { background: transparent; color: var(--accent) }
button.danger, .button.danger { background: transparent; border-color: var(--bad); color: var(--bad) }
button:hover, .button:hover { filter: brightness(1.12) }
.buttons { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center }
fieldset { border: 0; padding: 0; margin: 0 0 1rem }
.choice { display: grid; grid-template-columns: 1.7rem 1fr; align-items: start; background: var(--sheet); border: 1px solid var(--line); border-radius: 8px;
  padding: .75rem .9rem; margin: .5rem 0; font-weight: 400; font-size: 1rem; cursor: pointer }
.choice:has(:checked) { border-color: var(--accent); box-shadow: inset 0 0 0 1px var(--accent) }
.choice strong { display: block }
form.stack { max-width: 46rem }
form.stack label.field { display: block; margin: 0 0 1rem }

dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.25rem; background: var(--sheet);
  border: 1px solid var(--line); border-radius: 8px; padding: .9rem 1.1rem }
dl.facts dt { color: var(--quiet) }
dl.facts dd { margin: 0; min-width: 0 }
pre.payload { background: var(--sheet); border: 1px solid var(--line); border-radius: 8px; padding: .9rem 1.1rem; overflow: auto;
  max-height: 32rem; white-space: pre-wrap; tab-size: 2 }
.columns { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); gap: 0 1.5rem }
@media (max-width: 64rem) { .columns { grid-template-columns: minmax(0, 1fr) } }
@media (max-width: 30rem) { dl.facts { grid-template-columns: 1fr; gap: 0 } dl.facts dd { margin-bottom: .5rem } }

.timeline { list-style: none; padding: 0; margin: 0 }
.timeline li { position: relative; padding: 0 0 1rem 1.6rem }
.timeline li::before { content: ""; position: absolute; left: .3rem; top: .45rem; width: .7rem; height: .7rem; border-radius: 50%;
  background: var(--calm) }
.timeline li::after { content: ""; position: absolute; left: .62rem; top: 1.35rem; bottom: -.25rem; border-left: 2px solid var(--line) }
.timeline li:last-child::after { display: none }
.selected { display: grid; grid-template-columns: fit-content(9rem) 1fr; gap: 0 .9rem; margin: 0 }
.selected dt { color: var(--quiet) }
.selected dd { margin: 0; min-width: 7rem }
.timeline .ok::before { background: var(--bar-good) }
.timeline .trouble::before { background: var(--bar-bad) }
.timeline .doubt::before { background: var(--bar-warn) }
.timeline .when { color: var(--quiet); font-size: .88rem; display: block; font-variant-numeric: tabular-nums }
progress { width: 100%; height: 1.2rem; accent-color: var(--accent) }
nav[aria-label] .choices { margin: 0 }
.changes { display: flex; flex-wrap: wrap; gap: .5rem; margin: 0 0 1.25rem }
.changes details[open] { flex-basis: 100%; background: var(--sheet); border: 1px solid var(--line); border-radius: 8px; padding: .9rem 1.1rem }
.changes summary { list-style: none; font-weight: 600; min-height: 2.4rem; padding: .4rem 1rem; border-radius: 6px;
  border: 1px solid var(--accent) }
.changes summary::-webkit-details-marker { display: none }
.changes details[open] > summary { display: inline-block }
.changes .dangerous > summary { color: var(--bad); border-color: var(--bad) }
details > summary { cursor: pointer; color: var(--accent); padding: .25rem 0 }
details[open] > summary { margin-bottom: .5rem }
.findings { list-style: none; padding: 0 }
@media (prefers-reduced-motion: no-preference) { a, button, .button { transition: filter .1s } }
@media print { .top, form, .buttons { display: none } }
`
