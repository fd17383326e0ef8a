/** Milliseconds that `task` takes. */
export async function timed(task) {
  const began = performance.now()
  await task()
  return performance.now() - began
}

export function median(values) {
  return percentile(values, 50)
}

/** Nearest rank; of an even number of values the median is the mean of the middle two. */
export function percentile(values, p) {
  const sorted = [...values].sort((a, b) => a - b)
  if (p === 50 && sorted.length % 2 === 0) {
    const middle = sorted.length / 2
    return (sorted[middle - 1] + sorted[middle]) / 2
  }
  return sorted[Math.max(0, Math.ceil((p / 100) * sorted.length) - 1)]
}

export function mean(values) {
  return sum(values) / values.length
}

export function sum(values) {
  return values.reduce((total, value) => total + value, 0)
}

/**
 * Runs every variant once in each round, in turns, so that what drifts on the machine meets all of them alike.
 * Every other round runs them in the opposite order.
 *
 * @returns for each variant's name what it returned, round by round
 */
export function interleaved(rounds, variants) {
  const names = Object.keys(variants)
  const order = Array.from({ length: rounds }, (_, i) => (i % 2 === 0 ? names : names.toReversed()))
  return inOrder(order.flat(), variants)
}

/**
 * Runs variants in this order of their names.
 *
 * @returns for each variant's name what it returned, one time after the other
 */
export async function inOrder(order, variants) {
  const results = Object.fromEntries(Object.keys(variants).map((name) => [name, []]))
  for (const name of order) results[name].push(await variants[name]())
  return results
}

/** What `task` returns, so many times one after the other. */
export async function repeated(times, task) {
  const results = []
  for (let i = 0; i < times; i++) results.push(await task())
  return results
}

/** Of what takes minutes, fewer rounds say as much. */
export function halfOf(rounds) {
  return Math.ceil(rounds / 2)
}

/** One ratio for each round, so that each compares what ran side by side. */
export function ratios(numerators, denominators) {
  return numerators.map((value, i) => value / denominators[i])
}

/** A figure of the report: its median and spread over the rounds. */
export function figure(what, unit, values) {
  return { what, unit, median: median(values), min: Math.min(...values), max: Math.max(...values) }
}

/** A result: the median of the rounds' ratios, with their spread, and the absolute figures behind it. */
export function result(values, figures) {
  return { value: median(values), min: Math.min(...values), max: Math.max(...values), figures }
}
