import { html } from 'hono/html'
import type { Region, Source } from 'synap-outbox'
import { z } from 'zod'
import type { Integration } from '../services/read-integration'
import type { IntegrationSettings, SaveRefusal } from '../services/save-integration'
import type { Visitor } from './guards'
import { type Html, INTEGRATIONS, tokenField } from './layout'
import { distance } from './moment'

/** Reads what an admin has filled in. Null for what no form of ours sends. */
export function readSettings(form: Readonly<Record<string, string>>): IntegrationSettings | null {
  const fields = z
    .object({ region: z.enum(['us', 'eu']), writeKey: z.string().trim().default('') })
    .safeParse(form)
  if (!fields.success) return null
  return {
    ...fields.data,
    detailedEvents: form.detailedEvents === 'on',
    insist: form.insist === 'on',
    anotherWorkspace: form.workspace === 'another',
  }
}

/** What was refused, and what the admin had filled in, to be shown again: all but the write key. */
export interface Refused {
  readonly refusal: SaveRefusal
  readonly settings?: IntegrationSettings
}

/** Each refusal in plain words: the field that it is about, what is wrong, and what to do. */
export const refusals: Record<
  SaveRefusal,
  { field: 'write-key' | 'connection'; wrong: string; todo: string }
> = {
  'key-missing': {
    field: 'write-key',
    wrong: 'The write key is missing.',
    todo: 'Paste the write key of your Segment source.',
  },
  'key-malformed': {
    field: 'write-key',
    wrong: 'This is not a write key.',
    todo: 'A write key has letters and digits, usually 32, and no spaces. Copy it again from Segment.',
  },
  'key-unknown': {
    field: 'write-key',
    wrong: 'Segment does not know this write key, and would throw away every event.',
    todo: 'Copy it again from Segment. If you are sure of it, paste it again and tick “Save it anyway”.',
  },
  'key-of-other-region': {
    field: 'write-key',
    wrong: 'A write key belongs to one region.',
    todo: 'To change the region, paste the write key of that region too.',
  },
  'changed-meanwhile': {
    field: 'connection',
    wrong: 'Somebody else has changed these settings while this page was open.',
    todo: 'Look at them, then save again.',
  },
}

const REGIONS: readonly { value: Region; label: string }[] = [
  { value: 'us', label: 'United States' },
  { value: 'eu', label: 'European Union' },
]

export function connectionForm(
  visitor: Visitor,
  { source, state }: Integration,
  { refused, now }: { refused?: Refused; now: Date },
): Html {
  const settings = refused?.settings
  const region = settings?.region ?? source?.region ?? 'us'
  const another = settings?.anotherWorkspace ?? false
  const detailed = settings?.detailedEvents ?? source?.detailedEvents ?? false
  const { field, wrong, todo } = refused ? refusals[refused.refusal] : {}
  const error = field === 'write-key' ? `${wrong} ${todo}` : undefined
  return html`<form class="card" id="connection" method="post" action="${INTEGRATIONS}" aria-labelledby="connection-title">
${tokenField(visitor)}${seenField(source)}
<h2 id="connection-title">Connection</h2>
${source ? savedKey(source, { field: keyField(error, true), open: refused !== undefined || state?.health === 'refused', another, now }) : keyField(error, false)}
${refused?.refusal === 'key-unknown' && insistBox()}
<fieldset>
<legend>Region of your Segment workspace</legend>
<p class="hint" id="region-hint">Segment shows it under Settings, General. It does not tell us if it is the wrong one, but throws the events away.</p>
<div class="choices">
${REGIONS.map(
  ({ value, label }) =>
    html`<label class="choice"><input type="radio" name="region" value="${value}" aria-describedby="region-hint"${value === region ? ' checked' : ''}> ${label}</label>`,
)}
</div>
</fieldset>
<fieldset>
<legend>Detailed Event Tracking</legend>
<label class="choice"><input type="checkbox" name="detailedEvents" aria-describedby="detailed-hint"${detailed ? ' checked' : ''}> Also send each answer to each question</label>
<p class="hint" id="detailed-hint">Adds the event Question Answered: one for every answer of every student, so many more events. For what happens from now on.</p>
</fieldset>
<button class="primary">Save</button>
</form>`
}

/** Says which state of things the form shows, so that it cannot undo what somebody else has done since. */
export function seenField(source: Source | undefined): Html {
  return html`<input type="hidden" name="seen" value="${seenMark(source)}">`
}

export function seenMark(source: Source | undefined): string {
  return source ? `${source.sourceId}/${source.updatedAt.getTime()}` : 'none'
}

function savedKey(
  source: Source,
  { field, open, another, now }: { field: Html; open: boolean; another: boolean; now: Date },
): Html {
  return html`<div class="field">
<h3>Segment Write Key</h3>
<p><span class="key"><span aria-hidden="true">••••••••</span><span class="aside">ends in </span>${source.writeKeyLastFour}</span> <span class="quiet">${verified(source, now)}</span></p>
<details${open ? ' open' : ''}>
<summary>Replace key</summary>
${field}
<fieldset>
<legend>This key is of</legend>
<label class="choice"><input type="radio" name="workspace" value="same" aria-describedby="same-hint"${another ? '' : ' checked'}> the same workspace, a new key</label>
<p class="hint" id="same-hint">What is waiting goes out with the new key, and nothing arrives twice.</p>
<label class="choice"><input type="radio" name="workspace" value="another" aria-describedby="another-hint"${another ? ' checked' : ''}> another workspace</label>
<p class="hint" id="another-hint">What happens from now on goes to the new workspace; what is waiting for the old one is held here.</p>
</fieldset>
</details>
</div>`
}

function verified({ verification, verifiedAt }: Source, now: Date): string {
  if (verification === 'unverified' || !verifiedAt) return 'Not checked yet: Segment did not answer.'
  return `${verification === 'known' ? 'Known' : 'Not known'} to Segment, checked ${distance(verifiedAt, now)}.`
}

function keyField(error: string | undefined, keeps: boolean): Html {
  const describedBy = error === undefined ? 'write-key-hint' : 'write-key-hint write-key-error'
  return html`<div class="field${error === undefined ? '' : ' wrong'}">
<label for="write-key">${keeps ? 'New Segment Write Key' : 'Segment Write Key'}</label>
<p class="hint" id="write-key-hint">In Segment: your source, Settings, API Keys.${keeps ? ' Left empty, the saved key stays.' : ''}</p>
${error !== undefined && html`<p class="error" id="write-key-error">${error}</p>`}
<input id="write-key" name="writeKey" maxlength="200" autocomplete="off" autocapitalize="none" spellcheck="false" aria-describedby="${describedBy}"${error === undefined ? '' : ' aria-invalid=true'}>
</div>`
}

function insistBox(): Html {
  return html`<div class="field">
<label class="choice"><input type="checkbox" name="insist" aria-describedby="insist-hint"> Save it anyway</label>
<p class="hint" id="insist-hint">For a key that you have made this minute, for example. Look in Segment afterwards whether events arrive.</p>
</div>`
}
