import type { Attributes } from '@opentelemetry/api'

/**
 * Sources that a process names in its metrics. Each is a time series of its own in every counter that tells sources
 * apart, kept by the SDK, by each replica, for as long as the process lives: a tenant list without a bound would end
 * in the SDK's own limit (2,000), where series collapse without a word of which.
 */
export const NAMED_SOURCES = 200

interface SourceIds {
  readonly sourceId: string
  readonly portalId: string
}

const attributesOf = ({ sourceId, portalId }: SourceIds): Attributes =>
  Object.freeze({ 'synap_outbox.source.id': sourceId, 'synap_outbox.portal.id': portalId })
const OTHER = attributesOf({ sourceId: 'other', portalId: 'other' })

/** Names the first `NAMED_SOURCES` sources that are seen, for good; the rest are `other`. */
export class SourceAttributes {
  readonly #named = new Map<string, Attributes>()

  of(source: SourceIds): Attributes {
    const known = this.#named.get(source.sourceId)
    if (known) return known
    if (this.#named.size >= NAMED_SOURCES) return OTHER
    const attributes = attributesOf(source)
    this.#named.set(source.sourceId, attributes)
    return attributes
  }
}
