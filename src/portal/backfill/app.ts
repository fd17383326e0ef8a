import { createOutbox } from 'synap-outbox'
import { createDataSource } from '../../../ormconfig'
import { portalBackfills } from '.'

// What `synap-outbox backfill --app dist/src/portal/backfill/app.js` loads. Nothing connects before it is asked to.
export const dataSource = createDataSource()
export const outbox = createOutbox({ dataSource, secretKeys: process.env.OUTBOX_SECRET_KEYS })
export const backfills = portalBackfills
