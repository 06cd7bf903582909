/** What `run` and `release` are asked for: a revision, by somebody, now. */
import type { Event } from '../event/event.ts'
import type { Plan } from '../plan/plan.ts'
import type { Context, Project } from './context.ts'
import { describeChanges, planRevision } from './planning.ts'

export interface Request {
  readonly project: Project
  readonly plan: Plan
  /** Whether a revision was named; else "what I have here" is meant. */
  readonly named: boolean
  /** Says that the working tree differs from what is committed; else null. */
  readonly changes: string | null
  /** For whoever waits for this one: `pitlane release v1.2.0`. */
  readonly command: string
  /** The event as of this moment. */
  event(): Event
}

/** Looks everything up at once, while what the state runs on is loaded. */
export async function readRequest(context: Context, command: string, revision: string | undefined): Promise<Request> {
  const project = await context.project()
  const planning = planRevision(project, revision)
  context.loadState()
  const [plan, changes, actor] = await Promise.all([
    planning,
    describeChanges(project, planning),
    context.actor(project),
  ])
  const name = revision ?? 'HEAD'
  return {
    project,
    plan,
    changes,
    named: revision !== undefined,
    command: `pitlane ${command} ${name}`,
    event: () => ({ kind: 'manual', revision: name, actor, at: context.clock.now() }),
  }
}
