/** The build that a begun publication of a version is bound to: what is out, or may be, was made of its bytes. */
import { readArtifacts } from '../database/queries/artifacts.ts'
import type { BuildRow } from '../database/queries/builds.ts'
import { readBuild } from '../database/queries/find-builds.ts'
import { findPublication, forgetPublication, wasBegun } from '../database/queries/publications.ts'
import { PitlaneError } from '../errors.ts'
import { readDocumentation } from '../database/queries/documentation.ts'
import { KEYS } from '../plan/keys.ts'
import type { Plan } from '../plan/plan.ts'
import type { EntryId } from './publication.ts'
import type { ReleaseParts } from './release.ts'

/** From here on, documents bind digests and a date. Objects before them are put again as they are, or refused as other bytes. */
const BINDING: readonly EntryId[] = ['documents', 'tags', 'lists']

/**
 * Null when no publication was begun, or none that binds anything and its build's bytes are lost: then a new build may take its place.
 * Bytes that were lost here are taken from the bucket, if it has them.
 * @throws PitlaneError `CONTRADICTION` when it was begun from another plan, `STORAGE_FAILED` when bytes are lost that nobody has
 */
export async function publicationBuild(parts: ReleaseParts, plan: Plan): Promise<BuildRow | null> {
  const { writer } = parts.engine
  const publication = await findPublication(writer.db, plan.version)
  if (publication === undefined) return null
  if (publication.plan_id !== plan.id) {
    throw new PitlaneError(
      'CONTRADICTION',
      `the publication of ${plan.version} was begun from plan ${publication.plan_id}, and this is ${plan.id}`,
      {
        hint: 'The tag or pitlane.yaml has changed since. Release under a new version, or begin anew with --start-over: it says whether anybody can have seen this one.',
      },
    )
  }
  const build = await readBuild(writer.db, publication.release_build_id)
  const lost = await restoreOutputs(parts, plan, build, publication.state === 'published')
  if (lost === null) return build
  if (publication.state === 'published' || (await wasBegun(writer.db, plan.version, BINDING))) {
    throw new PitlaneError(
      'STORAGE_FAILED',
      `the publication of ${plan.version} goes on with the files of build ${build.number} only: ${lost}`,
      {
        hint: 'Put that file back from a copy, or release under a new version: what is built again may have other bytes. If nobody can have seen this one, --start-over begins anew.',
      },
    )
  }
  await writer.write((trx) => forgetPublication(trx, plan.version))
  return null
}

/** Puts back what the bucket has; says what is lost all the same. */
async function restoreOutputs(
  parts: ReleaseParts,
  plan: Plan,
  build: BuildRow,
  isPublished: boolean,
): Promise<string | null> {
  for (const { target, name, sha256, size } of await readArtifacts(parts.engine.writer.db, build.id)) {
    if ((await parts.content.inspect(sha256)) === 'whole') continue
    const key = KEYS.binary(plan.version, target, name)
    const where = `${parts.bucket.location}/${key}`
    // What others have put there may be of any length.
    const fits = (await parts.bucket.head(key))?.size === size
    const copy = fits ? await parts.bucket.open(key) : null
    if (copy === null || !(await parts.content.restore(sha256, copy, where)))
      return `the bytes of ${target}/${name} are neither in ${parts.content.path(sha256)} nor in ${where}`
    parts.engine.report({ event: 'note', message: `${target}/${name} is taken from the bucket again` })
  }
  // Once the release is out, the site is put again only from what is kept under a version.
  if (isPublished && plan.release?.documentation?.kept == null) return null
  return restoreDocumentation(parts, plan, build)
}

async function restoreDocumentation(parts: ReleaseParts, plan: Plan, build: BuildRow): Promise<string | null> {
  const planned = plan.release?.documentation
  const places = [planned?.kept ?? null, planned?.newest === true ? planned.path : null]
  let restored = 0
  for (const { path, sha256, size } of await readDocumentation(parts.engine.writer.db, build.id)) {
    if ((await parts.content.inspect(sha256)) === 'whole') continue
    let isBack = false
    for (const place of places) {
      if (place === null || isBack) continue
      const key = `${place}${path}`
      const fits = (await parts.bucket.head(key))?.size === size
      const copy = fits ? await parts.bucket.open(key) : null
      isBack = copy !== null && (await parts.content.restore(sha256, copy, `${parts.bucket.location}/${key}`))
    }
    if (!isBack)
      return `the bytes of documentation ${path} are neither in ${parts.content.path(sha256)} nor in the bucket`
    restored += 1
  }
  if (restored > 0) {
    const what = restored === 1 ? 'a file of the documentation is' : `${restored} files of the documentation are`
    parts.engine.report({ event: 'note', message: `${what} taken from the bucket again` })
  }
  return null
}
