import fs from 'node:fs'
import path from 'node:path'

const root = path.resolve(__dirname, '../..')

/** In a document, the names of tests follow their file: `test/x.test.ts` "one", "another". */
function namedTests(document: string): [file: string, name: string][] {
  const text = fs.readFileSync(path.join(root, document), 'utf8')
  const named: [string, string][] = []
  for (const [, file = '', names = ''] of text.matchAll(
    /`(test\/[\w/-]+\.test\.ts)`\s+((?:"[^"]+",?\s*)+)/g,
  )) {
    for (const [, name = ''] of names.matchAll(/"([^"]+)"/g)) named.push([file, name])
  }
  return named
}

describe.each(['docs/guarantees.md', 'docs/segment.md'])('%s', (document) => {
  it.each(namedTests(document))('%s has a test named "%s"', (file, name) => {
    const source = fs.readFileSync(path.join(root, file), 'utf8')
    expect(source.replaceAll("\\'", "'")).toContain(name)
  })

  it('names no file that is not there', () => {
    const text = fs.readFileSync(path.join(root, document), 'utf8')
    for (const [, file = ''] of text.matchAll(/`(test\/[\w/.-]+)`/g)) {
      expect([file, fs.existsSync(path.join(root, file))]).toEqual([file, true])
    }
  })

  it('names tests', () => {
    expect(namedTests(document).length).toBeGreaterThan(10)
  })
})

describe('docs/mutants.md', () => {
  const text = fs.readFileSync(path.join(root, 'docs/mutants.md'), 'utf8')

  it('lists each mutant of the script, and no other', () => {
    const script = fs.readFileSync(path.join(root, 'scripts/mutants.mjs'), 'utf8')
    const names = [...script.matchAll(/^ {4}name: '(.+)',$/gm)].map(([, name]) => name)
    const listed = [...text.matchAll(/^\| (.+?) \| I\d+ \|/gm)].map(([, name]) => name)
    expect(names.length).toBeGreaterThan(8)
    expect(listed.sort()).toEqual(names.sort())
  })

  it('names tests that exist', () => {
    for (const [, file = ''] of text.matchAll(/`(test\/[\w/.-]+)`/g)) {
      expect([file, fs.existsSync(path.join(root, file))]).toEqual([file, true])
    }
  })
})
