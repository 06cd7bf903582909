/** Names that are taken by other bytes: looked for before anything is written. */
import { PitlaneError } from '../errors.ts'
import { inParallel } from '../parallel.ts'
import { measureThere } from './digest.ts'
import type { Places } from './perform.ts'
import type { Operation } from './publication.ts'

/** How many are looked for at once. */
const PARALLEL = 32

/** Refuses before anything is written when a name is taken by other bytes, with both digests: the first of them in order. Throws `CONTRADICTION`. */
export async function findContradictions(places: Places, operations: readonly Operation[]): Promise<void> {
  await inParallel(operations, PARALLEL, (operation) => refuseTaken(places, operation))
}

async function refuseTaken({ bucket, registry }: Places, operation: Operation) {
  if (operation.to === 'bucket' && operation.options.exclusive) {
    const there = await measureThere((await bucket?.open(operation.key)) ?? null)
    if (there !== null && there.sha256 !== operation.body.sha256)
      throw contradiction(`${bucket?.location}/${operation.key}`, there.sha256, operation.body.sha256)
  } else if (operation.to === 'tag') {
    const there = await registry?.resolveTag(operation.repository, operation.tag)
    if (there != null && there.digest !== operation.descriptor.digest)
      throw contradiction(
        `${operation.repository}:${operation.tag}`,
        there.digest,
        operation.descriptor.digest,
        'Where the tag is not of this project, delete it in the registry: the same command goes on.',
      )
  }
}

/** @param also what else may be done about it */
export function contradiction(name: string, there: string, wanted: string, also?: string): PitlaneError {
  return new PitlaneError('CONTRADICTION', `${name} exists with other bytes\n  there:  ${there}\n  here:   ${wanted}`, {
    hint: ['A published name never changes its bytes. Release under a new version.', also].filter(Boolean).join(' '),
  })
}

/** The same for whoever may begin anew. */
export function orStartOver(error: unknown): unknown {
  if (!(error instanceof PitlaneError) || error.code !== 'CONTRADICTION') return error
  return new PitlaneError('CONTRADICTION', error.message, {
    hint: `${error.hint ?? ''} If nobody can have seen this one: the same command with --start-over --dry-run tells what would be removed.`.trim(),
    cause: error,
  })
}
