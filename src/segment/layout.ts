import type { MessageType } from '../../entities'

export interface OutgoingMessage {
  readonly messageId: string
  readonly type: MessageType
  /** The call as recorded: a JSON object's text. */
  readonly body: string
}

export interface LayOutOptions {
  readonly writeKey: string
  readonly host: string
  /** Milliseconds after which the client is not waited for any longer. */
  readonly timeoutMs: number
}

/** What became of a batch that was to be laid out. */
export type LaidOut<Body = Uint8Array<ArrayBuffer>> =
  | {
      readonly kind: 'request'
      readonly url: string
      readonly headers: Record<string, string>
      /** UTF-8. */
      readonly body: Body
    }
  /** It would not send these messages as they are, or nothing for this source. */
  | { readonly kind: 'unsent'; readonly about: 'messages' | 'source'; readonly message: string }
  /** It did not come to an end. */
  | { readonly kind: 'late' }
