import { InvalidArgumentError } from 'commander'

/** A parser of whole numbers within bounds. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const n = Number(text)
    if (/^\d{1,9}$/.test(text) && n >= min && n <= max) return n
    throw new InvalidArgumentError(`It has to be a whole number from ${min} to ${max}.`)
  }
}

/** A parser of numbers within bounds, fractions included. */
export function numberFrom(min: number, max: number): (text: string) => number {
  return (text) => {
    const n = Number(text)
    if (/^\d{1,9}(\.\d{1,3})?$/.test(text) && n >= min && n <= max) return n
    throw new InvalidArgumentError(`It has to be a number from ${min} to ${max}.`)
  }
}
