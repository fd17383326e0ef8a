export function isMet({ atMost, atLeast }, value) {
  if (value === null) return false
  return atMost === undefined ? value >= atLeast : value <= atMost
}

export function goalText({ atMost, atLeast }) {
  return atMost === undefined ? `≥ ${atLeast}` : `≤ ${atMost}`
}

/** Three significant digits, and thousands grouped. */
export function numberText(value) {
  if (value >= 1000) return Math.round(value).toLocaleString('en-GB')
  return String(Number(value.toPrecision(3)))
}
