/**
 * What a server does all the time: events that wait become builds, and builds that have not ended are carried out. The rows say what is to be done:
 * a server that starts on them goes on where another one died, wherever that was.
 */
import type { BuildRow } from '../database/queries/builds.ts'
import { type EventRow, pushOf, settleEvent, waitingEvents } from '../database/queries/events.ts'
import { wasTried } from '../database/queries/find-builds.ts'
import { unfinishedBuilds } from '../database/queries/list-builds.ts'
import { openBuild } from '../database/queries/open-build.ts'
import { readPlan } from '../database/queries/plans.ts'
import type { Writer } from '../database/writer.ts'
import type { Clock } from '../clock.ts'
import { PitlaneError, presentable } from '../errors.ts'
import type { PushEvent } from '../event/event.ts'
import { checksDigest } from '../plan/plan-id.ts'
import type { Plan } from '../plan/plan.ts'
import { readStoredPlan } from '../plan/stored.ts'
import { runBuild } from './engine.ts'
import { giveUp, lostWork } from './give-up.ts'
import type { EngineParts, StopSignals } from './parts.ts'
import { buildFolders } from './places.ts'

/** What is to be done about a push. */
export type Decision = { readonly plan: Plan } | { readonly skip: string }

export interface DispatcherParts {
  readonly writer: Writer
  readonly clock: Clock
  readonly stop: StopSignals
  /** Builds that are carried out at once. */
  readonly atOnce: number
  /** Everything around the builds of a repository. */
  readonly engine: (repository: string) => Promise<EngineParts>
  /** @throws PitlaneError what is the project's fault settles the event; anything else is tried again */
  readonly decide: (repository: string, push: PushEvent) => Promise<Decision>
  /** None of the repository's builds runs any more. */
  readonly onIdle: (repository: string) => Promise<void>
  /** For the operator: what went wrong and is tried again, or was not. */
  readonly onTrouble: (note: string) => void
}

/** Milliseconds after which what could not be decided, or carried out, is tried again. */
const AGAIN = 5000

export class Dispatcher {
  readonly #parts: DispatcherParts
  /** By build. */
  readonly #running = new Map<string, { readonly repository: string; readonly ended: Promise<void> }>()
  /** On the monotonic clock: what failed for reasons of the machine is not tried before. */
  readonly #notBefore = new Map<string, number>()
  #failure: PitlaneError | null = null
  #alarm = new AbortController()
  #woken = false

  constructor(parts: DispatcherParts) {
    this.#parts = parts
  }

  /** Something has changed that it may act on. */
  wake(): void {
    this.#woken = true
    this.#alarm.abort()
  }

  /** Until it is told to stop; what runs then is finished, or ended, as the signals say. */
  async run(): Promise<void> {
    const { drain } = this.#parts.stop
    const stop = () => this.wake()
    drain.addEventListener('abort', stop)
    try {
      while (!drain.aborted) {
        this.#woken = false
        await this.#decideAll()
        await this.#carryOutAll()
        await this.#sleep()
        if (this.#failure !== null) throw this.#failure
      }
    } finally {
      drain.removeEventListener('abort', stop)
      await Promise.all([...this.#running.values()].map(({ ended }) => ended))
    }
  }

  async #sleep(): Promise<void> {
    if (this.#woken || this.#parts.stop.drain.aborted) return
    this.#alarm = new AbortController()
    await this.#parts.clock.sleep(AGAIN, this.#alarm.signal).catch(() => undefined)
  }

  async #decideAll(): Promise<void> {
    for (const event of await waitingEvents(this.#parts.writer.db)) {
      if (this.#parts.stop.drain.aborted) return
      if (!this.#isDue(event.id)) continue
      try {
        await this.#decide(event)
        this.#notBefore.delete(event.id)
      } catch (error) {
        await this.#undecided(event, error)
      }
    }
  }

  async #decide(event: EventRow): Promise<void> {
    const { writer } = this.#parts
    const push = pushOf(event)
    const decision = await this.#parts.decide(event.repository_id, push)
    if ('skip' in decision) {
      const skipped = { state: 'skipped', note: decision.skip, build_id: null } as const
      return writer.write((trx) => settleEvent(trx, event.id, skipped))
    }
    const { plan } = decision
    const { folder } = await this.#parts.engine(event.repository_id)
    const wanted = {
      repository: event.repository_id,
      kind: 'checks',
      plan,
      checksDigest: checksDigest(plan),
      event: push,
      numbersUsed: Math.max(0, ...(await buildFolders(folder))),
    } as const
    // The build and that the event has one: both, or neither.
    await writer.write(async (trx) => {
      const build = await openBuild(trx, wanted)
      await settleEvent(trx, event.id, { state: 'built', note: null, build_id: build.id })
    })
  }

  async #undecided(event: EventRow, thrown: unknown): Promise<void> {
    const { writer, onTrouble } = this.#parts
    const error = asPitlaneError(thrown)
    if (isOver(error)) throw error
    if (error.fault !== 'infrastructure') {
      const note = error.hint === undefined ? error.message : `${error.message}. ${error.hint}`
      return writer.write((trx) => settleEvent(trx, event.id, { state: 'failed', note, build_id: null }))
    }
    this.#later(event.id)
    onTrouble(`what was pushed to ${event.ref} waits: ${error.message}`)
  }

  async #carryOutAll(): Promise<void> {
    for (const build of await unfinishedBuilds(this.#parts.writer.db)) {
      if (this.#running.size >= this.#parts.atOnce || this.#parts.stop.drain.aborted) return
      if (this.#running.has(build.id) || !this.#isDue(build.id)) continue
      const ended = this.#carryOut(build).finally(() => {
        this.#running.delete(build.id)
        this.wake()
      })
      this.#running.set(build.id, { repository: build.repository_id, ended })
    }
  }

  /** Never rejects: what fails for reasons of the machine is tried again. */
  async #carryOut(build: BuildRow): Promise<void> {
    const { writer, stop, onTrouble } = this.#parts
    try {
      const engine = await this.#parts.engine(build.repository_id)
      const plan = readStoredPlan(await readPlan(writer.db, build.plan_id))
      const lost = (await wasTried(writer.db, build)) ? await lostWork(engine, build, plan) : null
      if (lost === null) await runBuild(engine, build, plan, stop)
      else await giveUp(engine, build, plan, { error: 'STORAGE_FAILED', note: lost })
    } catch (thrown) {
      const error = asPitlaneError(thrown)
      if (isOver(error)) {
        this.#failure ??= error
        return
      }
      this.#later(build.id)
      onTrouble(`build ${build.number}: ${error.message}`)
    }
    const others = [...this.#running].filter(([id]) => id !== build.id)
    if (others.some(([, { repository }]) => repository === build.repository_id)) return
    await this.#parts.onIdle(build.repository_id).catch((error: unknown) => onTrouble(asPitlaneError(error).message))
  }

  #later(id: string): void {
    this.#notBefore.set(id, this.#parts.clock.monotonic() + AGAIN)
  }

  #isDue(id: string): boolean {
    return (this.#notBefore.get(id) ?? 0) <= this.#parts.clock.monotonic()
  }
}

/** Somebody else has the rows, or nobody: nothing that this one did would be written down. */
function isOver({ code }: PitlaneError): boolean {
  return code === 'FENCED' || code === 'STATE_LOST'
}

function asPitlaneError(thrown: unknown): PitlaneError {
  const error = presentable(thrown)
  return error instanceof PitlaneError ? error : new PitlaneError('INTERNAL', String(error), { cause: error })
}
