/** The portal refused, or failed. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
  ) {
    super(`The portal answered ${status} ${code}`)
  }
}

/** One visitor of a portal, speaking to its HTTP API as a browser would. */
export class ApiClient {
  #token: string | undefined

  constructor(
    private readonly portalUrl: string,
    readonly slug: string,
  ) {}

  async logIn(email: string, password: string): Promise<void> {
    const { token } = await this.post<{ token: string }>('/login', { email, password })
    this.#token = token
  }

  get<Answer>(path: string): Promise<Answer> {
    return this.#request('GET', path)
  }

  post<Answer = void>(path: string, body?: object): Promise<Answer> {
    return this.#request('POST', path, body)
  }

  patch<Answer = void>(path: string, body: object): Promise<Answer> {
    return this.#request('PATCH', path, body)
  }

  async #request<Answer>(method: string, path: string, body?: object): Promise<Answer> {
    const response = await fetch(`${this.portalUrl}/api/portals/${this.slug}${path}`, {
      method,
      headers: {
        ...(body && { 'Content-Type': 'application/json' }),
        ...(this.#token && { Authorization: `Bearer ${this.#token}` }),
      },
      body: body && JSON.stringify(body),
    })
    const text = await response.text()
    const answer = (text === '' ? undefined : JSON.parse(text)) as Answer & { error?: { code: string } }
    if (!response.ok) throw new ApiError(response.status, answer?.error?.code ?? 'unknown')
    return answer
  }
}

/** Runs what the portal has to refuse with this code; what it does instead is an error of the portal. */
export async function expectRefusal(code: string, request: () => Promise<unknown>): Promise<void> {
  try {
    await request()
  } catch (error) {
    if (error instanceof ApiError && error.code === code) return
    throw error
  }
  throw new Error(`The portal did not refuse with ${code}`)
}
