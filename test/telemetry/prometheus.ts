/**
 * The names of a metric's series in Prometheus, by OpenTelemetry's "Prometheus and OpenMetrics Compatibility": dots
 * become underscores, the unit is spelled out and appended, what stands in braces is left out, counters end in _total.
 */
export function prometheusNames({
  name,
  kind,
  unit,
}: {
  name: string
  kind: string
  unit: string
}): string[] {
  const suffix = unit === 's' ? '_seconds' : ''
  if (suffix === '' && !/^\{\w+\}$/.test(unit)) throw new Error(`No rule for the unit ${unit}.`)
  const base = name.replaceAll('.', '_') + suffix
  if (kind === 'counter') return [`${base}_total`]
  return kind === 'histogram' ? ['bucket', 'sum', 'count'].map((part) => `${base}_${part}`) : [base]
}
