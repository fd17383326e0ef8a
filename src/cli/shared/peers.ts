import { CliError } from './cli-error'

/** The application's own TypeORM and driver are used; a global installation of this module has none. */
export function requirePeers(): void {
  const missing = ['typeorm', 'pg'].filter((name) => !isInstalled(name))
  if (missing.length === 0) return
  throw new CliError(
    `${missing.join(' and ')} ${missing.length > 1 ? 'are' : 'is'} not installed beside synap-outbox.`,
    'The database is reached through the application’s own.',
    `Run it in the application’s folder (npx synap-outbox), or: npm install ${missing.join(' ')}`,
  )
}

function isInstalled(name: string): boolean {
  try {
    require.resolve(name)
    return true
  } catch {
    return false
  }
}
