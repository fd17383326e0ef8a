import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { succeed } from './run'

export const ROOT = path.resolve(__dirname, '../..')

/** An application that has installed the package as it would be published, without any network. */
export interface PackedConsumer {
  /** The application's folder. */
  readonly folder: string
  /** The installed package, in the application's node_modules. */
  readonly installed: string
  readonly tarball: string
  /** Paths of the files in the tarball, relative to the package. */
  readonly files: readonly string[]
  /** The executable as npm links it. */
  readonly bin: string
  write(name: string, content: string): string
  /** Puts the project's package `from` in the place of the application's package `name`. */
  link(name: string, from?: string): void
  remove(): void
}

/** A program that came with the project's own dependencies. */
export function projectBin(name: string): string {
  return path.join(ROOT, 'node_modules/.bin', name)
}

/**
 * Builds and packs aside, so that neither `dist` nor a test that runs at the same time is disturbed. Only what the
 * package declares as its dependencies and peers is linked into the application: an undeclared import fails here.
 */
export async function createPackedConsumer(): Promise<PackedConsumer> {
  const folder = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), 'synap-outbox-consumer-'))
  const remove = () => fs.rmSync(folder, { recursive: true, force: true })
  try {
    const { tarball, files } = await pack(path.join(folder, 'staging'), folder)
    const modules = path.join(folder, 'node_modules')
    const installed = path.join(modules, 'synap-outbox')
    fs.mkdirSync(installed, { recursive: true })
    await succeed('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1'])
    const link = (name: string, from = name) => {
      const at = path.join(modules, name)
      fs.rmSync(at, { force: true })
      fs.mkdirSync(path.dirname(at), { recursive: true })
      fs.symlinkSync(path.join(ROOT, 'node_modules', from), at, 'junction')
    }
    linkDependencies(installed, link)
    const bin = linkBin(installed, modules)
    const write = (name: string, content: string) => {
      const file = path.join(folder, name)
      fs.writeFileSync(file, content)
      return file
    }
    write('package.json', JSON.stringify({ name: 'consumer', private: true }))
    return { folder, installed, tarball, files, bin, write, link, remove }
  } catch (error) {
    remove()
    throw error
  }
}

/** Builds the project into `folder` instead of `dist`. */
export async function compile(folder: string): Promise<void> {
  await succeed(projectBin('tsc'), ['-p', path.join(ROOT, 'tsconfig.build.json'), '--outDir', folder])
}

async function pack(staging: string, to: string): Promise<{ tarball: string; files: string[] }> {
  await compile(path.join(staging, 'dist'))
  for (const file of ['package.json', 'README.md', 'LICENSE']) {
    const from = path.join(ROOT, file)
    if (fs.existsSync(from)) fs.copyFileSync(from, path.join(staging, file))
  }
  const npm = ['pack', '--ignore-scripts', '--json', '--pack-destination', to]
  const packed: unknown = JSON.parse(await succeed('npm', npm, { cwd: staging }))
  // npm 10 answers with an array, npm 11 may answer with an object by package name.
  const [entry] = Object.values(packed as Record<string, { filename: string; files: { path: string }[] }>)
  if (entry === undefined) throw new Error('npm pack packed nothing.')
  return { tarball: path.join(to, entry.filename), files: entry.files.map((file) => file.path) }
}

function linkDependencies(installed: string, link: PackedConsumer['link']): void {
  const manifest = JSON.parse(fs.readFileSync(path.join(installed, 'package.json'), 'utf8')) as {
    dependencies: object
    peerDependencies: object
  }
  const declared = { ...manifest.dependencies, ...manifest.peerDependencies }
  // The last two are what any TypeScript application on TypeORM has of its own.
  for (const name of [...Object.keys(declared), 'reflect-metadata', '@types/node']) link(name)
}

/** What `npm install` does with the package's `bin`. */
function linkBin(installed: string, modules: string): string {
  const bin = path.join(modules, '.bin', 'synap-outbox')
  const main = path.join(installed, 'dist/src/cli/main.js')
  fs.chmodSync(main, 0o755)
  fs.mkdirSync(path.dirname(bin))
  fs.symlinkSync(main, bin)
  return bin
}
