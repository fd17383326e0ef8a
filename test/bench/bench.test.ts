import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { ROOT } from '../package/packed-consumer'

/** Runs the benchmarks as a reader would, and returns what it printed. */
async function bench(...args: string[]) {
  const child = spawn(process.execPath, ['bench/run.mjs', ...args], { cwd: ROOT })
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  return { code, stdout, stderr }
}

/** Without its own dependencies it would install them first, which takes a network. */
const installed = existsSync(`${ROOT}/bench/node_modules/.package-lock.json`)

describe('npm run bench', () => {
  it('says how it is used, and refuses what it does not know', async () => {
    expect((await bench('--help')).stdout).toMatch(/^Usage: npm run bench/)
    expect(await bench('--scale', 'huge')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--scale is small or full'),
    })
  })

  ;(installed ? it : it.skip)(
    'measures, and prints each figure with its goal',
    async () => {
      const args = ['record.one', 'record.many', 'idle', '--json', '--rounds', '1', '--scale', 'small']
      const { code, stdout, stderr } = await bench(...args)
      expect({ code, stderr }).toMatchObject({ code: 0 })
      const results = JSON.parse(stdout) as Record<string, unknown>[]
      expect(results.map(({ name }) => name)).toEqual(['record.one', 'record.many', 'idle'])
      for (const result of results) {
        expect(Object.keys(result)).toEqual(['name', 'value', 'unit', 'goal', 'met'])
        expect(result).toMatchObject({
          value: expect.any(Number),
          unit: 'ratio',
          goal: expect.stringMatching(/^[≤≥] [\d.]+$/),
          met: expect.any(Boolean),
        })
        expect(result.value).toBeGreaterThan(0)
      }
    },
    120_000,
  )

  ;(installed ? it : it.skip)('knows every name of its goals', async () => {
    const { stdout } = await bench('--list')
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.split(' ')[0]),
    ).toEqual([
      'record.one',
      'record.many',
      'record.concurrent',
      'drain.client',
      'drain.peers',
      'drain.flat',
      'drain.pinned',
      'drain.replicas',
      'wake.p50',
      'wake.p99',
      'app.p99',
      'idle',
      'fair',
      'memory',
      'prune',
      'storage',
    ])
  })
})
