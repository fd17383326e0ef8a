const SIGNALS = ['SIGINT', 'SIGTERM'] as const

/** The first signal to stop; a second one ends the process the usual way. `forget()` when it is no longer awaited. */
export function stopSignal(): { told: Promise<NodeJS.Signals>; forget(): void } {
  let forget = () => {}
  const told = new Promise<NodeJS.Signals>((resolve) => {
    const listener = (signal: NodeJS.Signals) => {
      forget()
      resolve(signal)
    }
    forget = () => {
      for (const signal of SIGNALS) process.off(signal, listener)
    }
    for (const signal of SIGNALS) process.on(signal, listener)
  })
  return { told, forget }
}
