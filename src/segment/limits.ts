/** Bytes of one message on the wire, UTF-8. Segment documents 32 KB; read as 32,000, the smaller reading. */
export const MESSAGE_BYTES = 32_000
/** Bytes of one batch. Segment documents 500 KB and answers 400 beyond; the rest is room for the envelope. */
export const BATCH_BYTES = 450_000
/**
 * Messages in one batch. Segment takes 2,500 and drops more without an error. Measured with bodies of 400 bytes, which
 * fill 450 KB with 690: a drain of 9,200 events/s with 250, 10,900 with 500.
 */
export const BATCH_MESSAGES = 500
/**
 * What the client adds to each message: messageId (52 bytes), context.library (67), _metadata (54), integrations,
 * braces and commas. Measured with @segment/analytics-node 3.1.0: 120 to 200 bytes.
 */
export const CLIENT_BYTES = 250
