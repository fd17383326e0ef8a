import type { MessageStatus } from '../../../entities'
import type { SourceHealth } from '../../operate/inspect/types'

type Tone = 'good' | 'bad' | 'warn' | 'dim'

export const STATUS_TONES: Readonly<Record<MessageStatus, Tone>> = {
  pending: 'warn',
  delivered: 'good',
  dead: 'bad',
  uncertain: 'bad',
  discarded: 'dim',
}

export const HEALTH_TONES: Readonly<Record<SourceHealth, Tone>> = {
  healthy: 'good',
  behind: 'warn',
  failing: 'bad',
  refused: 'bad',
  paused: 'warn',
  disabled: 'dim',
}
