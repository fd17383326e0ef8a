import { html } from 'hono/html'
import type { SourceWarehouse } from '../../operate/inspect/types'
import type { Html } from './html'
import { count } from './words'

/** What is known of a warehouse, in a word or two. */
export function warehouseWord({ canaryLostSince, missing, reconciledAt }: SourceWarehouse): Html {
  if (canaryLostSince) return html`<span class="badge bad">canary lost</span>`
  if (missing > 0) return html`<span class="badge bad">${count(missing)} missing</span>`
  return reconciledAt
    ? html`<span class="badge good">agrees</span>`
    : html`<span class="badge calm">not compared</span>`
}
