/** A server: the forge tells, the rows remember, the dispatcher carries out, and HTTP shows it. Everything in it is handed over by `main.ts`. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { makePlan } from '../plan/make-plan.ts'
import { removeOldBuilds } from '../artifact/old-builds.ts'
import { stageWork } from '../artifact/stage-work.ts'
import type { ContentStore } from '../artifact/content.ts'
import { sha256Of } from '../bytes/digest.ts'
import type { Clock } from '../clock.ts'
import { findRepositoryRow, listRepositories, setActive } from '../database/queries/repositories.ts'
import { addUser, hasUsers } from '../database/queries/users.ts'
import type { Writer } from '../database/writer.ts'
import { PitlaneError, systemCode } from '../errors.ts'
import type { PushEvent } from '../event/event.ts'
import { skipReason } from '../event/skip.ts'
import type { Executor } from '../executors/types.ts'
import type { Forge } from '../forges/types.ts'
import { httpServer } from '../http/server.ts'
import type { HttpParts } from '../http/parts.ts'
import { type Decision, Dispatcher } from '../run/dispatcher.ts'
import { removeLeftovers } from '../run/leftovers.ts'
import type { EngineParts, StopSignals } from '../run/parts.ts'
import { stagePlaces } from '../run/places.ts'
import { findMissed, rememberHeads, takeIn } from './intake.ts'

const CONFIGURATION = 'pitlane.yaml'
const CONFIGURATION_LIMIT = 1024 * 1024
/** Milliseconds between two looks for what no hook has told. */
const LOOK = 60_000
/** Milliseconds that the link to log in works. */
const LOGIN_LIFE = 15 * 60_000

export interface ServerParts {
  readonly writer: Writer
  readonly forge: Forge
  readonly executor: Executor
  readonly clock: Clock
  readonly stop: StopSignals
  /** Absolute: holds a folder for each repository's builds, and the server's own secrets. */
  readonly folder: string
  readonly content: (folder: string) => ContentStore
  readonly env: Readonly<Record<string, string | undefined>>
  readonly machine: string
  readonly bootId: string
  readonly version: string
  readonly jobs: number
  readonly onTrouble: (note: string) => void
}

interface RepositoryEngine extends EngineParts {
  /** When none of its builds runs any more. */
  readonly onIdle: () => Promise<void>
}

export interface Server {
  readonly http: FastifyInstance
  readonly loginCode: string
  /** File with the token of the first user; null when it was taken away. */
  readonly token: string
  /** Begins; resolves when it was stopped and all of it has come to its end. */
  run(): Promise<void>
}

export async function makeServer(parts: ServerParts): Promise<Server> {
  const { writer, forge, clock, folder } = parts
  const token = await firstUser(parts)
  const builds = (repository: string) => join(folder, 'repositories', repository, 'builds')
  const engines = new Map<string, Promise<RepositoryEngine>>()

  const engine = (id: string): Promise<RepositoryEngine> => {
    const known = engines.get(id)
    if (known !== undefined) return known
    const made = makeEngine(id)
    engines.set(id, made)
    // One that could not be made is made again.
    made.catch(() => engines.delete(id))
    return made
  }

  const makeEngine = async (id: string): Promise<RepositoryEngine> => {
    const row = (await listRepositories(writer.db)).find((one) => one.id === id)
    if (row === undefined) throw new PitlaneError('INTERNAL', `no repository ${id}`)
    const artifacts = join(folder, 'repositories', id, 'artifacts')
    for (const path of [builds(id), artifacts]) mkdirSync(path, { recursive: true, mode: 0o700 })
    const { executor, env, machine, bootId } = parts
    const report = () => undefined
    const repository = forge.open(row.name)
    const content = parts.content(artifacts)
    const work = stageWork({ repository, executor, content, writer, clock, report, env, machine })
    const about = { repository: id, writer, executor, clock, report, bootId, folder: builds(id), limits: LIMITS, work }
    await removeLeftovers(about)
    await content.removeLeftovers()
    return {
      ...about,
      async onIdle() {
        repository.close()
        await removeOldBuilds({ ...about, content, newest: KEPT_BUILDS })
      },
    }
  }

  const decide = async (id: string, push: PushEvent): Promise<Decision> => {
    const row = (await listRepositories(writer.db)).find((one) => one.id === id)
    if (row?.active !== 1) return { skip: 'the repository is off' }
    const repository = forge.open(row.name)
    try {
      const isTag = push.ref.startsWith('refs/tags/')
      const found = await repository.source(isTag ? push.ref : push.commit)
      if (found.commit !== push.commit) return { skip: 'the tag has moved on since' }
      const skip = skipReason({ ref: push.ref, message: found.subject })
      if (skip !== null) return { skip }
      const text = await repository.file(found.commit, CONFIGURATION, CONFIGURATION_LIMIT)
      if (text === null) return { skip: `there is no ${CONFIGURATION} in the commit` }
      return { plan: makePlan({ source: found, configuration: { file: CONFIGURATION, text }, changelog: null }) }
    } finally {
      repository.close()
    }
  }

  const dispatcher = new Dispatcher({
    ...parts,
    atOnce: parts.jobs,
    engine,
    decide,
    onIdle: async (id) => (await engine(id)).onIdle(),
  })
  const code = clock.random(24).toString('base64url')
  const http: HttpParts = {
    writer,
    clock,
    version: parts.version,
    secret: readSecret(join(folder, 'session-secret'), clock),
    login: { sha256: sha256Of(code), user: FIRST_USER, until: clock.monotonic() + LOGIN_LIFE },
    actions: {
      async setActive(name, active) {
        // Before the row: one that is on has its hook.
        if (active) await forge.enable(name)
        const id = `repository-${clock.random(8).toString('hex')}`
        const before = await findRepositoryRow(writer.db, name)
        const heads = active && before?.active !== 1 ? await forge.heads(name) : []
        const row = await writer.write(async (trx) => {
          const set = await setActive(trx, { id, name, active, at: clock.now() })
          await rememberHeads(parts, trx, set, heads)
          return set
        })
        if (!active) await forge.disable(name)
        return row
      },
      async repositories() {
        const rows = new Map((await listRepositories(writer.db)).map((row) => [row.name, row]))
        return (await forge.names()).map((name) => ({ name, row: rows.get(name) ?? null }))
      },
      outputFile(build, { stage, index, attempt }) {
        const places = stagePlaces(builds(build.repository_id), build, stage)
        return parts.executor.outputPath({ attempt: places.attempt(attempt), index })
      },
    },
  }

  return {
    http: httpServer(http, parts.onTrouble),
    loginCode: code,
    token,
    async run() {
      const look = async () => {
        if (await takeIn(parts)) dispatcher.wake()
      }
      const trouble = (error: unknown) => parts.onTrouble(String(error))
      await look()
      await findMissed(parts)
      let looking = Promise.resolve()
      let isAsked = false
      const unwatch = forge.watch(() => {
        // Of many calls at once one look is enough, which begins after the last of them.
        if (isAsked) return
        isAsked = true
        looking = looking
          .then(() => {
            isAsked = false
            return look()
          })
          .catch(trouble)
      })
      const missing = lookEvery(parts, async () => {
        await look()
        if (await findMissed(parts)) dispatcher.wake()
      })
      try {
        await dispatcher.run()
      } finally {
        unwatch()
        await missing
        await looking
      }
    },
  }
}

/** Whose logs a repository keeps. */
const KEPT_BUILDS = 500
const LIMITS = { jobs: 1, attempts: 3 }
const FIRST_USER = 'admin'

async function lookEvery(parts: ServerParts, look: () => Promise<void>): Promise<void> {
  const { clock, stop } = parts
  for (;;) {
    const isOver = await clock.sleep(LOOK, stop.drain).then(
      () => false,
      () => true,
    )
    if (isOver) return
    await look().catch((error: unknown) => parts.onTrouble(String(error)))
  }
}

/** A user with a token of its own, which is in a file that only this system user reads: `doctor` and scripts on this machine find it there. */
async function firstUser({ writer, folder, clock }: ServerParts): Promise<string> {
  const file = join(folder, 'admin-token')
  const token = readSecret(file, clock).toString('hex')
  if (!(await hasUsers(writer.db)))
    await writer.write((trx) =>
      addUser(trx, { login: FIRST_USER, admin: 1, token_sha256: sha256Of(token), created_at: clock.now() }),
    )
  return file
}

/** 32 bytes in hex, made when the file is not there. */
function readSecret(file: string, clock: Clock): Buffer {
  try {
    const text = readFileSync(file, 'utf8').trim()
    if (/^[0-9a-f]{64}$/.test(text)) return Buffer.from(text, 'hex')
    throw new PitlaneError('KEY_INVALID', `${file} does not hold a secret of 64 hexadecimal digits`, {
      hint: 'Move it away, and the next start makes a new one.',
    })
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
    const made = clock.random(32)
    writeFileSync(file, `${made.toString('hex')}\n`, { mode: 0o600, flag: 'wx' })
    return made
  }
}
