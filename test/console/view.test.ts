import { durationTicks, niceTicks, timeTicks } from '../../src/console/view/scale'
import { style } from '../../src/console/view/style'
import { bytes, clock, counted, duration, moment, upTo } from '../../src/console/view/words'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

describe('words', () => {
  it.each([
    [0, '0 ms'],
    [999.4, '999 ms'],
    [4200, '4.2 s'],
    [5000, '5 s'],
    [59_999, '59 s'],
    [3 * MINUTE + 5 * SECOND, '3 min 5 s'],
    [2 * HOUR, '2 h'],
    [2 * HOUR + 10 * MINUTE, '2 h 10 min'],
    [5 * DAY + 3 * HOUR + 59 * MINUTE, '5 d 3 h'],
  ])('say a duration of %d ms as %s', (ms, words) => {
    expect(duration(ms)).toBe(words)
  })

  const now = new Date('2026-11-23T18:00:00.000Z')
  const ago = (ms: number) => `${moment(new Date(now.getTime() - ms), now)}`.replace(/<[^>]+>/g, '')
  it.each([
    [0, 'now'],
    [-22 * SECOND, 'in 22 s'],
    [59 * SECOND, '59 s ago'],
    [14 * MINUTE + 59 * SECOND, '14 min ago'],
    [3 * HOUR + 12 * MINUTE, '3 h 12 min ago'],
    [26 * HOUR, '1 d 2 h ago'],
    [9 * DAY, '9 d ago'],
  ])('say a moment %d ms ago as "%s"', (ms, words) => {
    expect(ago(ms)).toBe(words)
  })

  it('keep the absolute time beside the relative one, and show the day where it is not today', () => {
    const at = new Date('2026-11-22T17:00:00.120Z')
    expect(`${moment(at, now)}`).toContain(
      'datetime="2026-11-22T17:00:00.120Z" title="2026-11-22 17:00:00.120 UTC"',
    )
    expect(`${clock(at, now)}`).toContain('>2026-11-22 17:00:00</time>')
    expect(`${clock(new Date('2026-11-23T17:00:00.120Z'), now)}`).toContain('>17:00:00.120</time>')
  })

  it('say how exact a number is', () => {
    expect([upTo(10_000, 9999), upTo(10_000, 10_000)]).toEqual(['9,999', '10,000+'])
    expect([counted(1, 'message'), counted(1204, 'message')]).toEqual(['1 message', '1,204 messages'])
    expect([bytes(999), bytes(31_200)]).toEqual(['999 B', '31.2 KB'])
  })
})

describe('axes', () => {
  it.each([
    [0, undefined, [0]],
    [1, undefined, [0, 0.25, 0.5, 0.75, 1]],
    [3, undefined, [0, 1, 2, 3]],
    [2, 1, [0, 1, 2]],
    [420, undefined, [0, 200, 400, 600]],
    [12_345, undefined, [0, 5000, 10_000, 15_000]],
  ])('up to %d have round numbers', (max, leastStep, ticks) => {
    expect(niceTicks(max, leastStep)).toEqual(ticks)
  })

  it.each([
    [0, '0 ms'],
    [3, '0 ms, 1 ms, 2 ms, 3 ms'],
    [1700, '0 ms, 500 ms, 1 s, 1.5 s, 2 s'],
    [61 * SECOND, '0 ms, 1 min, 2 min'],
    [59 * MINUTE, '0 ms, 15 min, 30 min, 45 min, 1 h'],
    [23 * HOUR, '0 ms, 6 h, 12 h, 18 h, 1 d'],
    [100 * DAY, '0 ms, 25 d, 50 d, 75 d, 100 d'],
  ])('up to %d ms have durations in one unit', (max, words) => {
    expect(durationTicks(max).map(duration).join(', ')).toBe(words)
  })

  it('have moments on the hour, and days over a week', () => {
    const labels = (from: string, to: string) =>
      timeTicks(new Date(from), new Date(to)).map(({ label }) => label)
    expect(labels('2026-11-23T17:04:00Z', '2026-11-23T18:04:00Z')).toEqual([
      '17:15',
      '17:30',
      '17:45',
      '18:00',
    ])
    expect(labels('2026-11-22T18:20:00Z', '2026-11-23T18:20:00Z')).toEqual([
      '00:00',
      '06:00',
      '12:00',
      '18:00',
    ])
    expect(labels('2026-11-20T18:00:00Z', '2026-11-22T18:00:00Z')).toEqual(['Sat 21', 'Sun 22'])
  })
})

/** Relative luminance and contrast as WCAG 2.2 defines them. */
function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = (hex.match(/[0-9a-f]{2}/g) ?? []).map((part) => {
    const value = Number.parseInt(part, 16) / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}
function contrast(a: string, b: string): number {
  const [lighter = 0, darker = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x)
  return (lighter + 0.05) / (darker + 0.05)
}

describe.each([
  ['light', 0],
  ['dark', 1],
])('in the %s scheme', (_, nth) => {
  const [block = ''] = [...style.matchAll(/:root \{[^}]*--ground[^}]*\}/g)].map(([text]) => text).slice(nth)
  const colors = Object.fromEntries(
    [...block.matchAll(/--([\w-]+): (#[0-9a-f]{6})/g)].map(([, name, hex]) => [name, hex]),
  )
  const color = (name: string) => colors[name] as string

  it.each(
    ['text', 'quiet', 'accent', 'bad', 'warn'].flatMap((text) =>
      ['ground', 'sheet', 'soft'].map((on) => [text, on]),
    ),
  )('%s can be read on %s', (text = '', on = '') => {
    expect(contrast(color(text), color(on))).toBeGreaterThanOrEqual(4.5)
  })

  it.each([
    ['accent-text', 'accent', 4.5],
    ['good', 'good-soft', 4.5],
    ['warn', 'warn-soft', 4.5],
    ['bad', 'bad-soft', 4.5],
    ['calm', 'calm-soft', 4.5],
    // What is not text: WCAG 1.4.11.
    ['focus', 'ground', 3],
    ['quiet', 'ground', 3],
    ['bar-bad', 'sheet', 3],
    ['bar-good', 'sheet', 3],
    ['bar-warn', 'sheet', 3],
    ['bar-accent', 'sheet', 3],
  ])('%s stands out from %s', (one, other, least) => {
    expect(contrast(color(one), color(other))).toBeGreaterThanOrEqual(least)
  })
})
