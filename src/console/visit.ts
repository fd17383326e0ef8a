import type { Operations } from './actions/operations'
import type { ConsoleOutbox, Operator } from './options'
import type { Html } from './view/html'
import type { Link } from './view/links'

/** One request of somebody who was let in. */
export interface Visit {
  readonly outbox: ConsoleOutbox
  readonly operations: Operations
  readonly operator: Operator
  readonly link: Link
  /** A token for a form on the page that answers this request. */
  readonly token: () => string
  readonly now: Date
  /** Path below the console's own. */
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  /** A part of the path that the route names. */
  readonly param: (name: string) => string
  /** What was posted; empty where nothing was. */
  readonly form: URLSearchParams
}

/** What a request is answered with, without the frame around it. */
export interface Page {
  readonly title: string
  readonly body: Html
  readonly status?: 200 | 400 | 404 | 409 | 500 | 503
  /** The browser loads the page again after this many seconds. */
  readonly refreshSeconds?: number
}

/** An address to go on to. */
export interface GoTo {
  readonly goTo: string
}

/** Shows something, and changes nothing. */
export type ShowPage = (visit: Visit) => Promise<Page | GoTo> | Page

/** Changes something, and goes on to where one sees what became of it. */
export type Act = (visit: Visit) => Promise<GoTo>
