/** The HTTP server: one plugin for each surface. Every size, count and time that somebody else decides has a limit here. */
import fastify, { type FastifyInstance } from 'fastify'
import { PitlaneError } from '../errors.ts'
import { apiRoutes } from './api/routes.ts'
import { pageRoutes } from './pages/routes.ts'
import type { HttpParts } from './parts.ts'
import { Refusal } from './refusal.ts'

/** Bytes of a body: nothing that is sent here is large. */
const BODY_LIMIT = 256 * 1024
/** Milliseconds for a request to come in whole. */
const REQUEST_TIMEOUT = 30_000

const STATUS: Readonly<Partial<Record<PitlaneError['code'], number>>> = {
  NOT_FOUND: 404,
  REVISION_UNKNOWN: 404,
  CONFIG_MISSING: 400,
  CONFIG_INVALID: 400,
  FILE_EXISTS: 409,
  BUSY: 409,
}

export function httpServer(parts: HttpParts, onTrouble: (note: string) => void): FastifyInstance {
  const app = fastify({
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT,
    connectionTimeout: 60_000,
    routerOptions: { maxParamLength: 300 },
    // A name in the path means what it says: `..` and `//` are no names, and are not resolved.
    forceCloseConnections: true,
  })
  app.addHook('onSend', async (_, reply) => {
    void reply.headers({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
      ...(reply.hasHeader('cache-control') ? {} : { 'cache-control': 'no-store' }),
    })
  })
  app.setErrorHandler((thrown: unknown, request, reply) => {
    const { status, message } = told(thrown)
    if (status >= 500) onTrouble(`${request.method} ${request.routeOptions.url ?? '(no route)'}: ${String(thrown)}`)
    return reply.code(status).send({ message })
  })
  app.setNotFoundHandler((_, reply) => reply.code(404).send({ message: 'Not Found' }))
  app.get('/healthz', async () => ({ status: 'ok' }))
  app.get('/version', async () => ({ source: '', version: parts.version, commit: '' }))
  void app.register(apiRoutes(parts), { prefix: '/api' })
  void app.register(pageRoutes(parts))
  return app
}

function told(thrown: unknown): { readonly status: number; readonly message: string } {
  if (thrown instanceof Refusal) return { status: thrown.status, message: thrown.message }
  if (thrown instanceof PitlaneError) {
    const { code, message, hint } = thrown
    return { status: STATUS[code] ?? 500, message: hint === undefined ? message : `${message}. ${hint}` }
  }
  const status = (thrown as { statusCode?: unknown }).statusCode
  // Of the framework: a body that is too large, or no JSON.
  if (typeof status === 'number' && status < 500) return { status, message: (thrown as Error).message }
  return { status: 500, message: 'Internal Server Error' }
}
