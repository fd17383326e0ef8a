/** One sheet for all pages: light and dark, from 320 px on, without any script. Colours keep 4.5:1 (WCAG 2.2 AA). */
export const stylesheet = `
:root {
  --page: #f4f5f7; --card: #ffffff; --text: #1b2430; --quiet: #566173; --line: #d5dae2; --field: #7b8798;
  --accent: #1a56b8; --on-accent: #ffffff;
  --good: #14652f; --good-tint: #e2f4e7; --warning: #7a4b00; --warning-tint: #fdf0d5; --bad: #a51d1d; --bad-tint: #fde8e8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #11151b; --card: #1a2029; --text: #e7ebf1; --quiet: #a5b0bf; --line: #323c49; --field: #77869a;
    --accent: #8ab8ff; --on-accent: #0d1b30;
    --good: #83d99b; --good-tint: #16301f; --warning: #f0c36b; --warning-tint: #34280f; --bad: #ff9c9c; --bad-tint: #3b1a1c;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
main { max-width: 46rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
.narrow { max-width: 28rem; margin: 0 auto; }
h1 { margin: 0 0 1rem; font-size: 1.75rem; line-height: 1.2; }
h2 { margin: 0 0 .75rem; font-size: 1.125rem; }
h3, label, legend { font-size: 1rem; font-weight: 600; }
h3, p, dl, dd { margin: 0; }
a { color: var(--accent); }
.top { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: center; justify-content: space-between;
  padding: .5rem 1rem; background: var(--card); border-bottom: 1px solid var(--line); }
.brand { font-weight: 700; }
.who { display: flex; flex-wrap: wrap; gap: .25rem .75rem; align-items: center; font-size: .875rem; color: var(--quiet); }
.crumb, .lead, .quiet, .hint { color: var(--quiet); }
.crumb, .hint, .quiet { font-size: .875rem; }
.hint { margin-bottom: .25rem; }
.lead { margin-bottom: 1.25rem; }
.card { margin-bottom: 1.25rem; padding: 1.25rem; background: var(--card); border: 1px solid var(--line); border-radius: .5rem; }
.card.good { box-shadow: inset .3rem 0 var(--good); }
.card.warning { box-shadow: inset .3rem 0 var(--warning); }
.card.bad { box-shadow: inset .3rem 0 var(--bad); }
.card > h2 { display: flex; flex-wrap: wrap; gap: .25rem .75rem; align-items: center; justify-content: space-between; }
.badge { padding: .125rem .625rem; border-radius: 1rem; font-size: .875rem; font-weight: 600; background: var(--page); border: 1px solid var(--line); }
.good .badge { color: var(--good); background: var(--good-tint); border-color: currentColor; }
.warning .badge { color: var(--warning); background: var(--warning-tint); border-color: currentColor; }
.bad .badge { color: var(--bad); background: var(--bad-tint); border-color: currentColor; }
.headline { font-weight: 600; }
.advice { margin-top: .25rem; }
dl { display: flex; flex-wrap: wrap; gap: .75rem 2rem; margin-top: 1rem; padding-top: 1rem; border-top: 1px solid var(--line); }
dt { font-size: .875rem; color: var(--quiet); }
dl + p, dl ~ details { margin-top: 1rem; }
.technical { margin-top: .5rem; padding: .5rem .75rem; background: var(--page); border-radius: .25rem; font: .875rem/1.5 ui-monospace, monospace; white-space: pre-wrap; }
.notice, .errors { margin-bottom: 1.25rem; padding: .75rem 1rem; border: 1px solid currentColor; border-radius: .5rem; }
.notice { color: var(--good); background: var(--good-tint); }
.notice.warning { color: var(--warning); background: var(--warning-tint); }
.errors { color: var(--bad); background: var(--bad-tint); }
.errors h2 { margin: 0; font-size: 1rem; }
.errors a { color: inherit; }
form { margin: 0; }
.field, fieldset { margin: 0 0 1.25rem; }
fieldset { padding: 0; border: 0; min-width: 0; }
legend { padding: 0; }
.choices { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; }
.choice { display: flex; gap: .5rem; align-items: center; min-height: 2.25rem; font-weight: 400; }
.choice input { flex: none; width: 1.125rem; height: 1.125rem; margin: 0; accent-color: var(--accent); }
input:not([type=radio], [type=checkbox]) { display: block; width: 100%; min-height: 2.75rem; padding: .5rem .75rem;
  border: 1px solid var(--field); border-radius: .375rem; background: var(--card); color: inherit; font: inherit; }
.wrong { padding-left: .75rem; border-left: .25rem solid var(--bad); }
.wrong input:not([type=radio], [type=checkbox]) { border-color: var(--bad); }
.error { margin-bottom: .25rem; color: var(--bad); font-weight: 600; }
.key { font-family: ui-monospace, monospace; margin-right: .5rem; }
summary { min-height: 2.25rem; padding: .375rem 0; color: var(--accent); cursor: pointer; width: fit-content; }
details[open] > :nth-child(2) { margin-top: .5rem; }
button, .button { display: inline-flex; align-items: center; justify-content: center; min-height: 2.75rem; padding: .5rem 1.25rem;
  border: 1px solid var(--field); border-radius: .375rem; background: var(--card); color: var(--text); font: inherit;
  font-weight: 600; text-decoration: none; cursor: pointer; }
button.primary { border-color: var(--accent); background: var(--accent); color: var(--on-accent); }
.danger { border-color: var(--bad); color: var(--bad); }
button.plain { min-height: 2.25rem; padding: .25rem .5rem; border-color: transparent; background: none; color: var(--accent); font-weight: 400; }
:is(button, .button, summary, a):hover { text-decoration: underline; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.action { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; align-items: center; justify-content: space-between; padding: .75rem 0; }
.action + .action { border-top: 1px solid var(--line); }
.action > p { flex: 1 1 16rem; }
.row { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1.25rem; }
.consequences { padding-left: 1.25rem; }
.consequences li { margin-bottom: .5rem; }
.aside { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
`
