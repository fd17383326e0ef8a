/** `MODEL_TRACE=1` writes every action and every statement of the dispatchers to stderr: for looking into a failure. */
export function trace(what: string): void {
  if (process.env.MODEL_TRACE) process.stderr.write(`${what}\n`)
}
