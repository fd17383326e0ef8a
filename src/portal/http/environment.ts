import type { Portal } from '../../../entities/portal'
import type { Actor } from '../context'

/** What a request knows once it is inside a portal. */
export interface InPortal {
  Variables: { portal: Portal }
}

/** What a request knows once its user is known too. */
export interface SignedIn {
  Variables: { portal: Portal; actor: Actor }
}
