import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { WrongUseError } from './cli-error'

/**
 * What a module of the application exports: `./dist/plan.js#examPlan`, by a path from the current folder. Without a
 * name, all its exports.
 */
export async function loadExport(where: string): Promise<unknown> {
  const [, file = '', name] = /^(.*?)(?:#([^#]*))?$/s.exec(where) ?? []
  const exported = await loadModule(file)
  if (name === undefined) return exported
  if (name in exported) return exported[name]
  throw new WrongUseError(
    `${file} exports no "${name}".`,
    `It exports ${Object.keys(exported).join(', ') || 'nothing'}.`,
    'Name one of these after the #.',
  )
}

async function loadModule(file: string): Promise<Record<string, unknown>> {
  try {
    const module = (await import(pathToFileURL(path.resolve(file)).href)) as Record<string, unknown>
    // Of a CommonJS module, `default` is all that it exports, also what Node did not see in its text.
    return { ...(module.default as object | undefined), ...module }
  } catch (error) {
    throw new WrongUseError(
      `${file} cannot be loaded: ${error instanceof Error ? error.message : error}.`,
      'It has to be JavaScript that Node can import.',
      'Name the compiled file, such as ./dist/plan.js.',
    )
  }
}
