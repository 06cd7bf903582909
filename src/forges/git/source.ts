/** From a person's word to the commit it names now. */
import { PitlaneError } from '../../errors.ts'
import type { Source } from '../../plan/plan.ts'
import type { ObjectHead, ObjectReader } from './objects.ts'
import { runGit } from './git.ts'
import { parseCommit, parseTagMessage } from './parse.ts'
import { nearestNames } from '../../words/nearest.ts'
import { type Candidate, candidatesOf, isFullId, shown } from './revision.ts'
import { listTags } from './tags.ts'

/** Bytes of a commit or tag object; a message longer than that is no message. */
const MESSAGE_BYTES = 2 ** 20
/** Tags looked through for a similar name. */
const MAX_COMPARED = 10_000

/** @throws PitlaneError `REVISION_UNKNOWN`, `SHALLOW_CLONE` */
export async function resolveSource(root: string, reader: () => ObjectReader, revision: string): Promise<Source> {
  const candidates = candidatesOf(revision)
  if (typeof candidates === 'string')
    throw new PitlaneError('REVISION_UNKNOWN', `${shown(revision)} cannot be a revision: ${candidates}`, {
      hint: 'Name a tag, a branch, a commit id or HEAD.',
    })
  {
    using objects = reader()
    for (const candidate of candidates) {
      const source = await tryCandidate(objects, candidate, revision)
      if (source !== null) return source
    }
  }
  throw await unknownRevision(root, reader, revision)
}

async function tryCandidate(objects: ObjectReader, candidate: Candidate, revision: string): Promise<Source | null> {
  objects.ask([candidate.tag === null ? `${candidate.expression}^{commit}` : candidate.expression])
  let head = await objects.head()
  if (typeof head === 'string') {
    if (candidate.isAbbreviation) await refuseAmbiguity(objects, candidate, revision)
    return null
  }
  let tagMessage: string | null = null
  if (head.type === 'tag') {
    tagMessage = parseTagMessage(await objects.body(head, MESSAGE_BYTES))
    // By the id just read, so that a tag moved meanwhile can't pair one tag's message with another one's commit.
    objects.ask([`${head.id}^{commit}`])
    const commit = await objects.head()
    if (typeof commit === 'string') throw noCommit(revision, 'something that is missing, or not a commit')
    head = commit
  }
  if (head.type !== 'commit') throw noCommit(revision, `a ${head.type}, not a commit`)
  return sourceOf(head, await objects.body(head, MESSAGE_BYTES), candidate.tag, tagMessage)
}

/** Git tells a missing commit from an ambiguous id only when it is asked for the id alone. */
async function refuseAmbiguity(objects: ObjectReader, candidate: Candidate, revision: string): Promise<void> {
  objects.ask([candidate.expression])
  const head = await objects.head()
  if (head === 'ambiguous')
    throw new PitlaneError('REVISION_UNKNOWN', `${shown(revision)} is the beginning of more than one object's id`, {
      hint: 'Give more digits of the commit id.',
    })
  if (head !== 'missing') throw noCommit(revision, `a ${head.type}, not a commit`)
}

function sourceOf(head: ObjectHead, body: Buffer, tag: string | null, tagMessage: string | null): Source {
  const { tree, time, subject } = parseCommit(head.id, body)
  return { commit: head.id, tree, tag, commitTime: time, subject, tagMessage }
}

function noCommit(revision: string, what: string): PitlaneError {
  return new PitlaneError('REVISION_UNKNOWN', `${shown(revision)} names ${what}`, {
    hint: 'Only a commit, or a tag of one, can be built.',
  })
}

/** The error for a name that git does not know: what it may be, and whether a complete clone would know it. */
export async function unknownRevision(
  root: string,
  reader: () => ObjectReader,
  revision: string,
): Promise<PitlaneError> {
  const shallow = await runGit(root, ['rev-parse', '--is-shallow-repository'], 100)
  if (shallow.toString().trim() === 'true')
    return new PitlaneError('SHALLOW_CLONE', `${root}: ${shown(revision)} is not in this clone, which is shallow`, {
      hint: 'Fetch the whole history: git fetch --unshallow --tags',
    })
  if (revision === 'HEAD')
    return new PitlaneError('REVISION_UNKNOWN', `${root}: HEAD names no commit`, {
      hint: 'Commit something first, or check out a branch that has commits.',
    })
  const tags = isFullId(revision) ? [] : await listTags(root, reader)
  if (tags.some(({ name }) => name === revision))
    return new PitlaneError('GIT_FAILED', `${root}: the tag ${shown(revision)} is there, its commit is not`, {
      hint: `Check the repository with: git -C '${root}' fsck`,
    })
  const similar = nearestNames(
    revision,
    tags.slice(-MAX_COMPARED).map(({ name }) => name),
    3,
  )
  return new PitlaneError('REVISION_UNKNOWN', `${root}: there is no tag, branch or commit ${shown(revision)}`, {
    hint:
      similar.length === 0
        ? 'See the tags with: git tag --list. One that was pushed elsewhere comes with: git fetch --tags'
        : `Did you mean ${similar.map((name) => shown(name)).join(', ')}?`,
  })
}
