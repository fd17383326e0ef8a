import { CreateOutbox1795420800000 } from './1795420800000-create-outbox'

/** For `migrations` of any TypeORM DataSource. */
export const outboxMigrations = [CreateOutbox1795420800000]
