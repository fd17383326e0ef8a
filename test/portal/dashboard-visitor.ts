import { INTEGRATIONS } from '../../src/portal/dashboard/layout'
import type { SeededPortal } from '../../src/portal/seed'
import type { PortalWorld } from './portal-world'

export const SIGN_IN = '/portal-dashboard/sign-in'
export const SIGN_OUT = '/portal-dashboard/sign-out'
export { INTEGRATIONS }

export interface PageAnswer {
  status: number
  headers: Headers
  text: string
}

/** Somebody at a browser, as far as HTTP goes: keeps cookies, and says where a form comes from. */
export class DashboardVisitor {
  readonly cookies = new Map<string, string>()

  constructor(
    readonly world: PortalWorld,
    readonly origin = 'http://portal.example',
  ) {}

  get(path: string): Promise<PageAnswer> {
    return this.request('GET', path)
  }

  /** Sends a form as our own page would. */
  post(path: string, fields: Record<string, string> = {}): Promise<PageAnswer> {
    return this.request('POST', path, {
      body: new URLSearchParams(fields),
      headers: { 'Sec-Fetch-Site': 'same-origin', Origin: this.origin },
    })
  }

  async request(
    method: string,
    path: string,
    init: { body?: URLSearchParams | string; headers?: Record<string, string> } = {},
  ): Promise<PageAnswer> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers = { ...(cookie !== '' && { Cookie: cookie }), ...init.headers }
    const response = await this.world.app.request(`${this.origin}${path}`, { ...init, method, headers })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (/Max-Age=0/.test(line)) this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    return { status: response.status, headers: response.headers, text: await response.text() }
  }

  async signIn(email: string, portal: SeededPortal): Promise<this> {
    const answer = await this.post(SIGN_IN, { portal: portal.slug, email, password: portal.password })
    expect([answer.status, answer.headers.get('Location')]).toEqual([303, INTEGRATIONS])
    return this
  }

  /** The hidden fields of the forms on the Integrations page, or on the refusal that stands there instead. */
  async hiddenFields(): Promise<Record<string, string>> {
    const { text } = await this.get(INTEGRATIONS)
    return Object.fromEntries(
      [...text.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)">/g)].map(([, name, value]) => [
        name,
        value,
      ]),
    )
  }
}
