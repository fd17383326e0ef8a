import { html } from 'hono/html'
import type { Finding } from '../../operate/inspect/types'
import { badge } from '../view/badge'
import { type Html, shown, when } from '../view/html'
import { counted } from '../view/words'
import type { Page, Visit } from '../visit'

const order = { problem: 0, notice: 1, ok: 2 }
const tones = { problem: 'bad', notice: 'warn', ok: 'good' }

export async function doctorPage({ outbox }: Visit): Promise<Page> {
  const findings = (await outbox.inspect.doctor()).toSorted((a, b) => order[a.severity] - order[b.severity])
  const open = findings.filter(({ severity }) => severity !== 'ok')
  const fine = findings.filter(({ severity }) => severity === 'ok')
  return {
    title: 'Doctor',
    body: html`
    <h1>Doctor</h1>
    <p>${open.length === 0 ? 'All is well' : `${counted(open.length, 'thing')} to look at`}: ${counted(findings.length, 'check')}, made at this moment.</p>
    ${open.map(finding)}
    ${when(fine.length > 0, () => html`<h2>What is in order</h2><ul class="findings">${fine.map(({ check, found }) => html`<li>${badge('ok')} <span class="id">${check}</span>: ${shown(found)}</li>`)}</ul>`)}`,
  }
}

function finding({ check, severity, found, matters, remedy }: Finding): Html {
  return html`<section class="say ${tones[severity]}"><p class="why">${badge(severity)} ${shown(found)}</p>
    <p>${shown(matters)}</p><p><strong>What to do:</strong> ${shown(remedy)}</p><p class="quiet id">${check}</p></section>`
}
