import 'reflect-metadata'
import { DataSource, type DataSourceOptions } from 'typeorm'
import { outboxEntities } from './entities'
import { portalEntities } from './entities/portal'
import { outboxMigrations } from './migrations'
import { CreatePortal1795420800001 } from './migrations/1795420800001-create-portal'

/**
 * The DataSource that the reference portal, the migrations command and the tests share.
 * `synchronize` stays off: it drops the outbox's partial indexes, and `createOutbox` refuses to start with it on.
 */
export function createDataSource(options: Partial<DataSourceOptions> = {}): DataSource {
  return new DataSource({
    type: 'postgres',
    url: process.env.DATABASE_URL,
    applicationName: 'synap-portal',
    entities: [...outboxEntities, ...portalEntities],
    migrations: [...outboxMigrations, CreatePortal1795420800001],
    synchronize: false,
    ...options,
  } as DataSourceOptions)
}

/** For the TypeORM command line: `npx typeorm migration:run -d dist/ormconfig.js`. */
export default createDataSource()
