/** What `run` and `release` are asked for: a revision, by somebody, now. */
import type { Event } from '../event/event.ts'
import type { Plan } from '../plan/plan.ts'
import type { Context, Project } from './context.ts'
import { describeChanges, planRevision } from './planning.ts'

export interface Request {
  readonly project: Project
  readonly plan: Plan
  /** Says that the working tree differs from the commit, where no revision was named and so "what I have here" is meant; else null. */
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
    revision === undefined ? describeChanges(project, planning) : null,
    context.actor(project),
  ])
  const named = revision ?? 'HEAD'
  return {
    project,
    plan,
    changes,
    command: `pitlane ${command} ${named}`,
    event: () => ({ kind: 'manual', revision: named, actor, at: context.clock.now() }),
  }
}
