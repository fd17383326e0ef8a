import { html } from 'hono/html'
import type { MessageStatus } from '../../../entities'
import type { SourceHealth } from '../../operate/inspect/types'
import type { Html } from './html'

type Tone = 'good' | 'calm' | 'warn' | 'bad'

const tones: Record<MessageStatus | SourceHealth | Finding, Tone> = {
  pending: 'calm',
  delivered: 'good',
  dead: 'bad',
  uncertain: 'warn',
  discarded: 'calm',
  healthy: 'good',
  behind: 'warn',
  failing: 'bad',
  refused: 'bad',
  paused: 'calm',
  disabled: 'calm',
  ok: 'good',
  notice: 'warn',
  problem: 'bad',
}
type Finding = 'ok' | 'notice' | 'problem'

/** A state in one word. Its colour says nothing that the word does not. */
export function badge(state: keyof typeof tones): Html {
  return html`<span class="badge ${tones[state]}">${state}</span>`
}
