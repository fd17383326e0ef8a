import { html, raw } from 'hono/html'
import { type Html, when } from './html'
import { niceTicks, timeTicks } from './scale'

/** One row of values over time. Its `name` is also its class in the style sheet, which gives it its colour. */
export interface Series {
  readonly name: string
  /** One for each span; null where there is nothing to show. */
  readonly values: readonly (number | null)[]
}

export interface PlotOptions {
  readonly title: string
  /** Of the vertical axis, as it is written behind a number: " ms". */
  readonly unit: string
  /** Bars stand on one another, lines beside. */
  readonly kind: 'bars' | 'lines'
  readonly series: readonly Series[]
  /** Starts of the spans. */
  readonly at: readonly Date[]
  readonly spanMs: number
  /** What the plot says when all of it is empty. */
  readonly empty: string
  readonly write: (value: number) => string
  /** Where the grid's lines are, from zero up to at least the peak. Default: round numbers. */
  readonly ticks?: (peak: number) => number[]
}

/** Drawn about as wide as it is shown, so that its letters have the size of the page's. */
const WIDTH = 420
const HEIGHT = 176
const LEFT = 52
const RIGHT = WIDTH - 8
const TOP = 10
const BOTTOM = HEIGHT - 24

/** A plot as a picture in the page: no script, its numbers in the titles of its spans, and a summary for who hears it. */
export function plot(options: PlotOptions): Html {
  const { title, series, at, spanMs, kind, unit, write, ticks: ticksUpTo = niceTicks } = options
  const from = at[0]?.getTime() ?? 0
  const to = (at.at(-1)?.getTime() ?? 0) + spanMs
  const heights = at.map((_, i) =>
    kind === 'bars'
      ? sum(series.map(({ values }) => values[i]))
      : largest(series.map(({ values }) => values[i])),
  )
  const peak = largest(heights)
  const ticks = ticksUpTo(peak)
  const top = ticks.at(-1) || 1
  const x = (ms: number) => round(LEFT + ((ms - from) / (to - from)) * (RIGHT - LEFT))
  const y = (value: number) => round(BOTTOM - (value / top) * (BOTTOM - TOP))
  const hasValues = series.some(({ values }) => values.some((value) => value !== null && value > 0))
  const described = `${series.map(({ name }) => name).join(', ')} from ${time(new Date(from))} to ${time(new Date(to))} UTC`
  const summary = hasValues ? `highest ${write(peak)}${unit}` : options.empty

  return html`<figure class="plot">
  <figcaption><span class="name">${title}</span> <span class="legend">${series.map(
    ({ name }) => html`<span class="${slug(name)}">${name}</span> `,
  )}</span></figcaption>
  <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${`${title}: ${described}; ${summary}`}">
    ${ticks.map(
      (tick) => html`<line class="grid" x1="${LEFT}" x2="${RIGHT}" y1="${y(tick)}" y2="${y(tick)}"/>
    <text class="y" x="${LEFT - 6}" y="${round(y(tick) + 4)}">${tick === 0 ? '0' : write(tick)}</text>`,
    )}
    ${timeTicks(new Date(from), new Date(to)).map((tick) => {
      const at = x(tick.at.getTime())
      const edge = at > RIGHT - 16 ? ' end' : at < LEFT + 16 ? ' start' : ''
      return html`<line class="tick" x1="${at}" x2="${at}" y1="${BOTTOM}" y2="${BOTTOM + 4}"/>
    <text class="x${edge}" x="${at}" y="${BOTTOM + 17}">${tick.label}</text>`
    })}
    ${kind === 'bars' ? bars() : series.map(line)}
    ${at.map((moment, i) => {
      const start = x(moment.getTime())
      const values = series.map(({ name, values }) => `${name} ${written(values[i])}`)
      return html`<rect class="span" x="${start}" y="${TOP}" width="${round(x(moment.getTime() + spanMs) - start)}" height="${BOTTOM - TOP}"><title>${`${time(moment)}–${time(new Date(moment.getTime() + spanMs)).slice(-5)} UTC
${values.join('\n')}`}</title></rect>`
    })}
    ${when(!hasValues, () => html`<text class="empty" x="${(LEFT + RIGHT) / 2}" y="${(TOP + BOTTOM) / 2}">${options.empty}</text>`)}
  </svg>
</figure>`

  function written(value: number | null | undefined): string {
    return value === null || value === undefined ? '–' : `${write(value)}${unit}`
  }

  function bars(): Html[] {
    return at.flatMap((moment, i) => {
      const left = x(moment.getTime())
      const width = Math.max(1, round(x(moment.getTime() + spanMs) - left - 1))
      let below = 0
      return series.flatMap(({ name, values }) => {
        const value = values[i] ?? 0
        if (value <= 0) return []
        const [bottom, upper] = [y(below), y(below + value)]
        below += value
        // One failure among a thousand deliveries has to be seen.
        const height = Math.max(1.5, round(bottom - upper))
        return html`<rect class="bar ${slug(name)}" x="${left}" y="${round(bottom - height)}" width="${width}" height="${height}"/>`
      })
    })
  }

  function line({ name, values }: Series): Html {
    let pen = 'M'
    const path = values.flatMap((value, i) => {
      if (value === null) {
        pen = 'M'
        return []
      }
      const middle = x((at[i]?.getTime() ?? 0) + spanMs / 2)
      const step = `${pen}${middle} ${y(value)}${pen === 'M' ? `h.01` : ''}`
      pen = 'L'
      return step
    })
    return html`<path class="line ${slug(name)}" d="${raw(path.join(''))}"/>`
  }
}

function time(at: Date): string {
  return at.toISOString().slice(0, 16).replace('T', ' ')
}

function slug(name: string): string {
  return name.toLowerCase().replaceAll(' ', '-')
}

function sum(values: readonly (number | null | undefined)[]): number {
  return values.reduce<number>((total, value) => total + (value ?? 0), 0)
}

function largest(values: readonly (number | null | undefined)[]): number {
  return Math.max(0, ...values.map((value) => value ?? 0))
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
