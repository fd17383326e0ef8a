import { Client } from 'pg'
import { createDataSource } from '../../ormconfig'

/** The same server, another database. */
export function databaseUrl(serverUrl: string, database: string): string {
  const url = new URL(serverUrl)
  url.pathname = `/${database}`
  return url.href
}

/** Runs `statement` on the server's own database. */
export async function onServer(serverUrl: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: serverUrl })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

/** A database with the real migrations applied, never connected to again, so that it can be cloned. */
export async function createTemplate(serverUrl: string): Promise<string> {
  const name = `synap_outbox_template_${process.pid}`
  await onServer(serverUrl, `DROP DATABASE IF EXISTS ${name}`)
  await onServer(serverUrl, `CREATE DATABASE ${name}`)
  const dataSource = createDataSource({ url: databaseUrl(serverUrl, name) })
  await dataSource.initialize()
  await dataSource.runMigrations()
  await dataSource.destroy()
  return name
}

export async function dropTemplate(serverUrl: string, name: string): Promise<void> {
  await onServer(serverUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
}
