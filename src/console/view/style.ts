import { createHash } from 'node:crypto'
import { components } from './style-components'

/** Every text stands out from its ground by at least 4.5 to 1, in both schemes (WCAG 2.2, 1.4.3). */
const base = `
:root {
  color-scheme: light dark;
  --ground: #f6f7f9; --sheet: #ffffff; --text: #16191d; --quiet: #55606d; --line: #d9dee5; --soft: #eef1f5;
  --accent: #2f4bc4; --accent-text: #ffffff; --focus: #2f4bc4;
  --good: #17693a; --good-soft: #e3f4e9; --warn: #7d4e00; --warn-soft: #fdf0d5; --bad: #b3201f; --bad-soft: #fde8e7;
  --calm: #475362; --calm-soft: #e9edf2;
  --bar-good: #3d9a62; --bar-warn: #b87400; --bar-bad: #d3403e; --bar-accent: #4a66dd; --bar-calm: #9fb0f0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f1216; --sheet: #171b21; --text: #e8ebef; --quiet: #a2adba; --line: #2d343d; --soft: #20262e;
    --accent: #9db0ff; --accent-text: #10142b; --focus: #9db0ff;
    --good: #7fd6a0; --good-soft: #12301f; --warn: #f2be63; --warn-soft: #372707; --bad: #ff9d98; --bad-soft: #411717;
    --calm: #b6c0cc; --calm-soft: #272e37;
    --bar-good: #4fb679; --bar-warn: #dd9a2b; --bar-bad: #ec625e; --bar-accent: #7f97ff; --bar-calm: #4b5ba8;
  }
}
* { box-sizing: border-box }
html { font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  -webkit-text-size-adjust: 100% }
body { margin: 0; background: var(--ground); color: var(--text); overflow-wrap: anywhere }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .75rem; letter-spacing: -.01em }
h2 { font-size: 1.1rem; margin: 2rem 0 .6rem }
h3 { font-size: 1rem; margin: 0 0 .3rem }
p, ul, ol, dl, pre { margin: 0 0 .75rem }
a { color: var(--accent); text-underline-offset: 2px; text-decoration-thickness: 1px }
a:hover { text-decoration-thickness: 2px }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; border-radius: 3px }
main:focus { outline: none }
code, pre, .id { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: .88em }
main { max-width: 82rem; margin: 0 auto; padding: 1.5rem 1.25rem 4rem }
main.plain { max-width: 36rem; padding-top: 12vh }
.quiet, .none { color: var(--quiet) }
.hidden-character { background: var(--warn-soft); color: var(--warn); border-radius: 3px; padding: 0 .25em; font-size: .8em }
.skip { position: absolute; left: -999px; top: .5rem; z-index: 1; background: var(--sheet); padding: .5rem 1rem }
.skip:focus { left: .5rem }

.top { display: flex; flex-wrap: wrap; align-items: center; gap: 0 1.25rem;
  padding: 0 max(1.25rem, (100% - 82rem) / 2 + 1.25rem); background: var(--sheet); border-bottom: 1px solid var(--line) }
.top p { margin: 0 }
.brand a { font-weight: 700; color: var(--text); text-decoration: none }
.top nav { display: flex; flex: 1 1 auto; gap: .15rem; overflow-x: auto }
.top nav a { padding: .85rem .6rem .7rem; white-space: nowrap; color: var(--quiet); text-decoration: none;
  border-bottom: 3px solid transparent }
.top nav a:hover { color: var(--text) }
.top nav a[aria-current] { color: var(--text); font-weight: 600; border-color: var(--accent) }
.top nav a:focus-visible { outline-offset: -4px }
.who { color: var(--quiet); font-size: .9rem }
@media (max-width: 50rem) {
  main { padding: 1.1rem .9rem 3rem }
  .top { padding: .5rem .9rem 0; justify-content: space-between }
  .top nav { order: 3; flex-basis: 100%; margin: 0 -.9rem; padding: 0 .5rem; flex-wrap: wrap }
  .top nav a { padding: .5rem .45rem .35rem; font-size: .93rem }
}
`

export const style = base + components

/** Its name changes with what is in it, so that a browser may keep it for good. */
export const stylePath = `/style-${createHash('sha256').update(style).digest('hex').slice(0, 12)}.css`
