/**
 * Runs that once broke an invariant, replayed each time: seed, path and replayPath are in the failure's text. A change
 * to the generators makes other runs of them, so what must not be lost belongs in scenarios.ts, step by step.
 */
export const regressions: { why: string; seed: number; path: string; replayPath?: string }[] = []
