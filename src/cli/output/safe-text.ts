/**
 * What could steer a terminal, or make a line read otherwise than it is written: control characters (escape sequences
 * begin with one), format characters (bidirectional overrides, invisible ones), line separators and lone surrogates.
 * The two joiners stay: Persian and emoji are written with them, and they move nothing.
 */
const UNSAFE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** Text of a payload, a person or a server as one line that shows what is in it and does nothing. */
export function safe(text: string): string {
  return text.replace(UNSAFE, (character) => SHORT[character] ?? escaped(character))
}

/** JSON for a script, harmless on a terminal as well: the same characters, escaped as JSON has it. */
export function safeJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(UNSAFE, (character) =>
    character === '\n' ? character : escaped(character),
  )
}

function escaped(character: string): string {
  return Array.from({ length: character.length }, (_, i) => {
    return `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`
  }).join('')
}
