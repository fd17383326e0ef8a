import type { Context } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import type { Verification } from 'synap-outbox'

const NAME = 'synap_notice'
const PATH = '/portal-dashboard'

const done = {
  connected: 'Saved. What happens in your portal is sent to Segment from now on.',
  replaced: 'The new write key is saved. What is waiting goes out with it.',
  moved: 'The other workspace is connected. What happens from now on is sent there.',
  'settings-saved': 'Saved. It holds for what happens from now on.',
  unchanged: 'There was nothing to change.',
  paused: 'Paused. Events are still recorded, and held until you resume.',
  resumed: 'Resumed. What was waiting is being sent.',
  reconnected: 'Connected again. What was waiting is being sent.',
  disconnected: 'Disconnected. Nothing more is recorded or sent.',
  'signed-out': 'You are signed out.',
  'session-over': 'Your session is over. Please sign in again.',
}

const checked: Record<Verification, string> = {
  known: 'Segment knows this key.',
  unknown: 'Segment does not know this key, and may be throwing away every event.',
  unverified:
    'The key could not be checked, because Segment did not answer. Events are sent with it all the same. To have it ' +
    'checked, save it again later.',
}

/** What the page after a form says, once. */
export interface Notice {
  readonly done: keyof typeof done
  /** Where a write key was saved: what Segment said of it. */
  readonly verification?: Verification
}

/** The cookie names the notice only: whoever may write it cannot put words into the page. */
export function setNotice(c: Context, { done, verification }: Notice): void {
  const value = verification === undefined ? done : `${done}.${verification}`
  setCookie(c, NAME, value, { path: PATH, httpOnly: true, sameSite: 'Strict', maxAge: 60 })
}

/** A notice in words. */
export interface NoticeText {
  readonly text: string
  readonly warning: boolean
}

/** The notice, if there is one. It is taken: the next page has it no more. */
export function takeNotice(c: Context): NoticeText | undefined {
  const value = getCookie(c, NAME)
  if (value === undefined) return undefined
  deleteCookie(c, NAME, { path: PATH })
  const [what = '', key] = value.split('.')
  if (!isOneOf(done, what) || (key !== undefined && !isOneOf(checked, key))) return undefined
  const text = key === undefined ? done[what] : `${done[what]} ${checked[key]}`
  return { text, warning: what === 'session-over' || (key !== undefined && key !== 'known') }
}

function isOneOf<T extends object>(table: T, name: string): name is string & keyof T {
  return Object.hasOwn(table, name)
}
