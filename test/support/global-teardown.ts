import { dropTemplate } from './template'

export default async function globalTeardown(): Promise<void> {
  await dropTemplate(process.env.TEST_SERVER_URL as string, process.env.TEST_TEMPLATE as string)
  await globalThis.synapTestServer?.stop()
}
