/** Builds as people look at them. */
import type { Reader } from '../writer.ts'
import type { BuildRow } from './builds.ts'

/** The newest first. `page` counts from 1. */
export function listBuilds(
  db: Reader,
  repository: string,
  { page, perPage }: { readonly page: number; readonly perPage: number },
): Promise<readonly BuildRow[]> {
  return db
    .selectFrom('builds')
    .selectAll()
    .where('repository_id', '=', repository)
    .orderBy('number', 'desc')
    .limit(perPage)
    .offset((page - 1) * perPage)
    .execute()
}

export function findBuild(db: Reader, repository: string, number: number): Promise<BuildRow | undefined> {
  return db
    .selectFrom('builds')
    .selectAll()
    .where('repository_id', '=', repository)
    .where('number', '=', number)
    .executeTakeFirst()
}

/** Builds of repositories that have not ended, oldest first. */
export function unfinishedBuilds(db: Reader): Promise<readonly BuildRow[]> {
  return db
    .selectFrom('builds')
    .selectAll()
    .where('state', '=', 'running')
    .orderBy('created_at')
    .orderBy('id')
    .execute()
}

export async function stagesWithSteps(db: Reader, buildId: string) {
  const [stages, steps] = await Promise.all([
    db.selectFrom('stages').selectAll().where('build_id', '=', buildId).orderBy('position').execute(),
    db.selectFrom('steps').selectAll().where('build_id', '=', buildId).orderBy('position').execute(),
  ])
  return stages.map((stage) => ({ ...stage, steps: steps.filter((step) => step.stage_id === stage.id) }))
}
