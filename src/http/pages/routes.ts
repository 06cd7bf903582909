/** Pages for people: rendered here, readable without JavaScript. */
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { sha256Of } from '../../bytes/digest.ts'
import { eventOf, eventsWithoutBuild } from '../../database/queries/events.ts'
import { findBuild, listBuilds, stagesWithSteps } from '../../database/queries/list-builds.ts'
import { readPlan } from '../../database/queries/plans.ts'
import { findRepositoryRow } from '../../database/queries/repositories.ts'
import { readStoredPlan } from '../../plan/stored.ts'
import { same, SESSION, sessionFor, userOf } from '../access.ts'
import { readEnd } from '../api/log.ts'
import type { HttpParts } from '../parts.ts'
import { buildPage } from './build.tsx'
import { POLICY } from './page.tsx'
import { loginPage, repositoriesPage, repositoryPage } from './repositories.tsx'

/** Bytes of a step's output that a page shows. */
const SHOWN = 64 * 1024
const BUILDS = 50
const OTHERS = 20

export function pageRoutes(parts: HttpParts): FastifyPluginAsync {
  const { writer, actions, clock } = parts

  /** Sends who is not logged in away; null then. */
  const asking = async (request: FastifyRequest, reply: FastifyReply) => {
    const user = await userOf(parts, request)
    if (user !== undefined) return user
    html(reply.code(401), loginPage())
    return null
  }

  return async (app: FastifyInstance) => {
    app.get('/login', async (request, reply) => {
      const { code } = request.query as { code?: unknown }
      const { login } = parts
      const isGood = login !== null && typeof code === 'string' && same(sha256Of(code), login.sha256)
      if (!isGood || clock.monotonic() > login.until) return html(reply.code(401), loginPage())
      parts.login = null
      const { value, maxAge } = sessionFor(parts, login.user)
      const cookie = `${SESSION}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${maxAge}`
      return reply.header('set-cookie', cookie).redirect('/', 303)
    })
    app.get('/', async (request, reply) => {
      if ((await asking(request, reply)) === null) return reply
      return html(reply, repositoriesPage(await actions.repositories()))
    })
    app.get<{ Params: { owner: string; name: string } }>('/:owner/:name', async (request, reply) => {
      if ((await asking(request, reply)) === null) return reply
      const { owner, name } = request.params
      const row = await findRepositoryRow(writer.db, `${owner}/${name}`)
      if (row === undefined) return reply.callNotFound()
      const [builds, others] = await Promise.all([
        listBuilds(writer.db, row.id, { page: 1, perPage: BUILDS }),
        eventsWithoutBuild(writer.db, row.id, OTHERS),
      ])
      return html(reply, repositoryPage(row.name, builds, others, clock.now()))
    })
    app.get<{ Params: { owner: string; name: string; number: string } }>(
      '/:owner/:name/:number',
      async (request, reply) => {
        if ((await asking(request, reply)) === null) return reply
        const { owner, name, number } = request.params
        const row = await findRepositoryRow(writer.db, `${owner}/${name}`)
        const build =
          row && /^[1-9]\d{0,8}$/.test(number) ? await findBuild(writer.db, row.id, Number(number)) : undefined
        if (row === undefined || build === undefined) return reply.callNotFound()
        const [plan, push, stages] = await Promise.all([
          readPlan(writer.db, build.plan_id),
          eventOf(writer.db, build.id),
          stagesWithSteps(writer.db, build.id),
        ])
        const outputs = new Map<string, { readonly text: string; readonly left: number }>()
        for (const stage of stages)
          for (const { id, position: index, attempt } of stage.steps)
            if (attempt > 0)
              outputs.set(id, await readEnd(actions.outputFile(build, { stage: stage.id, index, attempt }), SHOWN))
        const { subject } = readStoredPlan(plan).source
        return html(reply, buildPage({ name: row.name, build, push, subject, stages, outputs, now: clock.now() }))
      },
    )
  }
}

function html(reply: FastifyReply, text: string): FastifyReply {
  return reply.headers({ 'content-type': 'text/html; charset=utf-8', 'content-security-policy': POLICY }).send(text)
}
