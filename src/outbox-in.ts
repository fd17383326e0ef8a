import { Entity, getMetadataArgsStorage, type MigrationInterface } from 'typeorm'
import { outboxEntities } from '../entities'
import { CreateOutbox1795420800000 } from '../migrations/1795420800000-create-outbox'

/** A constructor, as TypeORM's `entities` and `migrations` take them. */
type Class<Instance = object> = new () => Instance

/**
 * The entities and migrations with their tables in a schema of their own, for a DataSource whose other tables live
 * elsewhere. The migration creates the schema where it is missing. Give the same name to `createOutbox({ schema })`.
 */
export function outboxIn(schema: string): { entities: Class[]; migrations: Class<MigrationInterface>[] } {
  const entities = outboxEntities.map((Base: Class) => {
    const table = getMetadataArgsStorage().tables.find(({ target }) => target === Base)?.name
    const { [Base.name]: Placed } = { [Base.name]: class extends Base {} } // TypeORM knows entities by their names
    Entity(table, { schema, synchronize: false })(Placed as Class)
    return Placed as Class
  })
  class CreateOutbox extends CreateOutbox1795420800000 {
    protected override readonly schema = schema
  }
  return { entities, migrations: [CreateOutbox] }
}
