import { stylesheet } from '../../src/portal/dashboard/stylesheet'

/** The custom properties of the first or the second `:root`. */
function colours(scheme: 'light' | 'dark'): Record<string, string> {
  const block = stylesheet.split(':root {')[scheme === 'light' ? 1 : 2]?.split('}')[0] ?? ''
  return Object.fromEntries(
    [...block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name, hex]) => [name, hex]),
  )
}

/** Relative luminance (WCAG 2.2). */
function luminance(hex = ''): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function contrast(one: string | undefined, other: string | undefined): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b)
  return (light + 0.05) / (dark + 0.05)
}

describe.each(['light', 'dark'] as const)('in %s', (scheme) => {
  const colour = colours(scheme)

  it.each([
    ['text', 'page'],
    ['text', 'card'],
    ['quiet', 'page'],
    ['quiet', 'card'],
    ['accent', 'page'],
    ['accent', 'card'],
    ['on-accent', 'accent'],
    ['good', 'good-tint'],
    ['warning', 'warning-tint'],
    ['bad', 'bad-tint'],
    ['bad', 'card'],
  ])('%s can be read on %s', (text, background) => {
    expect(contrast(colour[text], colour[background])).toBeGreaterThanOrEqual(4.5)
  })

  it('shows where a field is', () => {
    expect(contrast(colour.field, colour.card)).toBeGreaterThanOrEqual(3)
  })
})
