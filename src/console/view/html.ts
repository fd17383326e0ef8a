import { html } from 'hono/html'

/** Markup that is safe to send. The `html` tag escapes every value that is not markup itself. */
export type Html = ReturnType<typeof html>

/**
 * Characters that show nothing, or that change how their neighbours are shown: control characters, and those that turn
 * the direction of text, with which a payload could make one value look like another. Line feeds and tabs are left.
 */
const HIDDEN = /([^\P{Cc}\n\t]|[\p{Bidi_Control}\u00ad\u200b\u2028\u2029\u2060\ufeff])/u

/** A value of unknown origin, as a person should see it: hidden characters by their names, its direction its own. */
export function shown(value: string | null | undefined): Html {
  if (value === null || value === undefined || value === '') return html`<span class="none">–</span>`
  return html`<bdi>${visible(value)}</bdi>`
}

/** Text of unknown origin for a `<pre>`. */
export function visible(text: string): (Html | string)[] {
  return text
    .split(HIDDEN)
    .map((part, i) => (i % 2 === 0 ? part : html`<span class="hidden-character">${codePoint(part)}</span>`))
}

function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
}

export function when(condition: unknown, markup: () => Html): Html | '' {
  return condition ? markup() : ''
}
