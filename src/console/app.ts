import type { IncomingMessage } from 'node:http'
import type { HttpBindings } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { checkForm } from './access/check-form'
import { FormTokens } from './access/form-tokens'
import { setSafeHeaders } from './access/headers'
import { refused } from './access/refusal'
import { Operations } from './actions/operations'
import type { Operator, resolveConsoleOptions } from './options'
import { notFoundPage } from './pages/not-found'
import { problemPage } from './pages/problem'
import { actions, pages } from './routes'
import { layout } from './view/layout'
import { linksBelow } from './view/links'
import { style, stylePath } from './view/style'
import type { Page, Visit } from './visit'

type Options = ReturnType<typeof resolveConsoleOptions>
type Env = { Bindings: HttpBindings; Variables: { operator: Operator } }

/** @param below the path of a request below the console's own */
export function createApp(options: Options, below: (request: IncomingMessage) => string): Hono<Env> {
  const { outbox, authorize, path, onError } = options
  const link = linksBelow(path)
  const tokens = new FormTokens(outbox.deriveKeys('console forms'))
  const operations = new Operations(onError)

  const visitOf = (c: Context<Env>, form = new URLSearchParams()): Visit => {
    const operator = c.get('operator')
    return {
      outbox,
      operations,
      operator,
      link,
      token: () => tokens.issue(operator.actor),
      now: new Date(),
      path: below(c.env.incoming),
      query: c.req.query(),
      param: (name) => c.req.param(name) ?? '',
      form,
    }
  }
  const show = (c: Context<Env>, page: Page) => c.html(layout(visitOf(c), page), page.status ?? 200)

  const app = new Hono<Env>({ getPath: (_request, given) => below(given?.env?.incoming as IncomingMessage) })
  app.use(setSafeHeaders)
  app.get(stylePath, (c) => {
    c.header('Cache-Control', 'public, max-age=31536000, immutable')
    return c.body(style, 200, { 'Content-Type': 'text/css; charset=utf-8' })
  })
  app.use(async (c, next) => {
    const operator = await authorize(c.env.incoming)
    if (!isOperator(operator)) return c.html(refused(link, 'not-let-in'), 403)
    c.set('operator', operator)
    return next()
  })
  for (const [route, page] of Object.entries(pages)) {
    app.get(route, async (c) => {
      const answer = await page(visitOf(c))
      return 'goTo' in answer ? c.redirect(answer.goTo, 303) : show(c, answer)
    })
  }
  for (const [route, action] of Object.entries(actions)) {
    app.post(route, async (c) => {
      const checked = await checkForm(c.env.incoming, c.get('operator'), tokens)
      if ('refusal' in checked) return c.html(refused(link, checked.refusal), 403)
      return c.redirect((await action(visitOf(c, checked.form))).goTo, 303)
    })
  }
  app.notFound((c) => show(c, notFoundPage(visitOf(c))))
  app.onError(async (error, c) => {
    if (!c.get('operator')) {
      onError(error)
      return c.html(refused(link, 'failed'), 500)
    }
    return show(c, await problemPage(error, outbox, onError))
  })
  return app
}

/** An authorisation is what it says it is, and nothing that merely looks like one. */
function isOperator(value: unknown): value is Operator {
  const { actor, mayChange } = (value ?? {}) as Partial<Operator>
  return typeof actor === 'string' && actor.trim() !== '' && typeof mayChange === 'boolean'
}
