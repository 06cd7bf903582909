/** `/api`, with Drone's paths and shapes: users, repositories, builds and their logs. */
import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { eventOf } from '../../database/queries/events.ts'
import { findBuild, listBuilds, stagesWithSteps } from '../../database/queries/list-builds.ts'
import { readPlan } from '../../database/queries/plans.ts'
import type { BuildRow } from '../../database/queries/builds.ts'
import { findRepositoryRow, type RepositoryRow } from '../../database/queries/repositories.ts'
import type { UserRow } from '../../database/queries/users.ts'
import { readStoredPlan } from '../../plan/stored.ts'
import { userOf } from '../access.ts'
import type { HttpParts } from '../parts.ts'
import { notFound, Refusal } from '../refusal.ts'
import { readLines } from './log.ts'
import { buildShape, repositoryShape, stageShapes, userShape } from './shapes.ts'

const Name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/)
const InRepository = z.object({ owner: Name, name: Name })
const Page = z.object({
  page: z.coerce.number().int().min(1).max(1_000_000).catch(1),
  per_page: z.coerce.number().int().min(1).max(100).catch(25),
})

export function apiRoutes(parts: HttpParts): FastifyPluginAsync {
  const { writer, actions } = parts

  const user = async (request: FastifyRequest): Promise<UserRow> => {
    const found = await userOf(parts, request)
    if (found === undefined) throw new Refusal(401, 'Unauthorized')
    return found
  }
  const admin = async (request: FastifyRequest): Promise<UserRow> => {
    const found = await user(request)
    if (found.admin !== 1) throw new Refusal(403, 'Forbidden')
    return found
  }
  const repositoryOf = async (request: FastifyRequest): Promise<RepositoryRow> => {
    const name = nameIn(request)
    const row = await findRepositoryRow(writer.db, name)
    if (row === undefined) throw notFound(name)
    return row
  }
  const known = async (request: FastifyRequest) => {
    const name = nameIn(request)
    const found = (await actions.repositories()).find((repository) => repository.name === name)
    if (found === undefined) throw notFound(name)
    return found
  }
  const buildOf = async (request: FastifyRequest): Promise<BuildRow> => {
    const repository = await repositoryOf(request)
    const number = numberIn(request, 'number')
    const build = await findBuild(writer.db, repository.id, number)
    if (build === undefined) throw notFound(`build ${number} of ${repository.name}`)
    return build
  }
  const shape = async (build: BuildRow) =>
    buildShape(build, await eventOf(writer.db, build.id), readStoredPlan(await readPlan(writer.db, build.plan_id)))
  const whole = async (build: BuildRow) => ({
    ...(await shape(build)),
    stages: stageShapes(await stagesWithSteps(writer.db, build.id)),
  })

  return async (app: FastifyInstance) => {
    app.addHook('preValidation', async (request) => void (await user(request)))
    app.get('/user', async (request) => userShape(await user(request)))
    app.get('/user/repos', async (request) => {
      const asking = await user(request)
      return (await actions.repositories()).map((repository) => repositoryShape(repository, asking))
    })
    app.get('/repos/:owner/:name', async (request) => repositoryShape(await known(request), await user(request)))
    for (const [method, active] of [
      ['POST', true],
      ['DELETE', false],
    ] as const)
      app.route({
        method,
        url: '/repos/:owner/:name',
        handler: async (request) => {
          const asking = await admin(request)
          const row = await actions.setActive(nameIn(request), active)
          return repositoryShape({ name: row.name, row }, asking)
        },
      })
    app.get('/repos/:owner/:name/builds', async (request) => {
      const { page, per_page: perPage } = Page.parse(request.query)
      const { id } = await repositoryOf(request)
      return Promise.all((await listBuilds(writer.db, id, { page, perPage })).map(shape))
    })
    app.get('/repos/:owner/:name/builds/latest', async (request) => {
      const { id, name } = await repositoryOf(request)
      const [newest] = await listBuilds(writer.db, id, { page: 1, perPage: 1 })
      if (newest === undefined) throw notFound(`a build of ${name}`)
      return whole(newest)
    })
    app.get('/repos/:owner/:name/builds/:number', async (request) => whole(await buildOf(request)))
    app.get('/repos/:owner/:name/builds/:number/logs/:stage/:step', async (request) => {
      const build = await buildOf(request)
      const at = { stage: numberIn(request, 'stage'), step: numberIn(request, 'step') }
      const stage = (await stagesWithSteps(writer.db, build.id))[at.stage - 1]
      const step = stage?.steps[at.step - 1]
      if (stage === undefined || step === undefined) throw notFound(`step ${at.stage}/${at.step}`)
      if (step.attempt === 0) return []
      const file = actions.outputFile(build, { stage: stage.id, index: step.position, attempt: step.attempt })
      return readLines(file)
    })
  }
}

function nameIn(request: FastifyRequest): string {
  const parsed = InRepository.safeParse(request.params)
  if (!parsed.success) throw notFound('such a repository')
  return `${parsed.data.owner}/${parsed.data.name}`
}

/** Throws 404 for what is no number: such a thing is not there. */
function numberIn(request: FastifyRequest, key: string): number {
  const text = String((request.params as Record<string, unknown>)[key])
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw notFound(`${key} ${text.slice(0, 20)}`)
}
