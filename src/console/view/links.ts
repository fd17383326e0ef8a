/** Where a page is, seen from outside: below the path that the console is mounted at. */
export type Link = (path: string, query?: Readonly<Record<string, string | undefined>>) => string

/** Values of a query are encoded, and those that are empty left out. `base` has no slash at its end. */
export function linksBelow(base: string): Link {
  return (path, query = {}) => {
    const given = Object.entries(query).filter((entry): entry is [string, string] => Boolean(entry[1]))
    const text = new URLSearchParams(given).toString()
    return `${base}${path}${text && `?${text}`}`
  }
}
