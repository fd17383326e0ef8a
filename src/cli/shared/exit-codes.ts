/** What the shell gets. The help of each command says what `ATTENTION` means for it. */
export const ExitCode = {
  FINE: 0,
  FAILED: 1,
  WRONG_USE: 2,
  ATTENTION: 3,
} as const

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]
