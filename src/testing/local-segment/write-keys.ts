import type { Region } from './messages'

/** What a write key leads to. */
export interface WriteKeySource {
  region: Region
  workspace: string
  /** The source's name; its schema in the warehouse is made from it. */
  source: string
}

/** The write keys that Segment knows. */
export type WriteKeys = Map<string, WriteKeySource>
