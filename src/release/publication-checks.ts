/** The entries of the publication that look and change nothing that people see: read back, proved, complete, verified. */
import type { Readable } from 'node:stream'
import { isRegistryAddress } from '../image/address.ts'
import { reopenOperation } from '../database/queries/publications.ts'
import { PitlaneError } from '../errors.ts'
import { ahead, atOnce, inParallel } from '../parallel.ts'
import type { Meter, Piece } from '../run/meter.ts'
import type { Plan } from '../plan/plan.ts'
import { counted } from './counted.ts'
import { measureThere } from './digest.ts'
import type { Journal } from './journal.ts'
import { bytesOf } from './perform.ts'
import type { ListParts } from './lists/list-parts.ts'
import type { Materials } from './materials.ts'
import { type Presence, unmetObligations } from './obligations.ts'
import { readBackPresence, visiblePresence } from './presence.ts'
import { parsePublicKey } from './keys/public-key.ts'
import { entryOf, type Operation, operationFacts } from './publication.ts'
import type { ReleaseParts } from './release.ts'
import { type Readers, type Showing, untilShown } from './shown.ts'
import { verifyRelease } from './verify/verify.ts'

/** How many objects are read back at once. */
const PARALLEL = 32

/** Counts every obligation of the plan. Throws `PLAN_CONTRADICTION` with those that are not met. */
export async function requireComplete(
  { lists }: Pick<ReleaseParts, 'lists'>,
  plan: Plan,
  { document, made, documentation }: Pick<Materials, 'document' | 'made' | 'documentation'>,
  presence: Presence,
): Promise<void> {
  const key = lists.signer === null ? null : parsePublicKey(lists.signer.publicKey.line, 'the signing key')
  const unmet = await unmetObligations({ plan, document, made, key, documentation }, presence)
  if (unmet.length === 0) return
  throw new PitlaneError('PLAN_CONTRADICTION', `${plan.version} is not complete:\n  ${unmet.join('\n  ')}`, {
    hint:
      presence.lists === null
        ? 'Nothing was published.'
        : 'It is visible, and something of it has been changed: `pitlane verify` tells what.',
  })
}

type BackParts = Showing & Pick<ReleaseParts, 'bucket' | 'registry'> & { readonly lists: Pick<ListParts, 'metering'> }

/**
 * Reads everything that was put, whole, through the address readers use. What is no longer as it was confirmed is opened in the journal
 * again, so that the next run puts it again, or refuses because of what has taken its place.
 * @returns SHA-256 by destination
 */
export async function readBack(
  parts: BackParts,
  journal: Pick<Journal, 'writer' | 'version'>,
  operations: readonly Operation[],
): Promise<ReadonlyMap<string, string>> {
  const put = operations.filter(({ to }) => to !== 'tag')
  const reads = new Map<string, Promise<string | null>>()
  const readOne = async (operation: Operation, meter: Meter) => {
    const { destination, sha256 } = operationFacts(operation)
    const piece = meter.piece(bytesOf(operation))
    // A layout has a blob once, whatever the number of its repositories.
    const place = operation.to === 'blob' && isLayout(parts.readers) ? sha256 : destination
    const reading = reads.get(place) ?? readAgain(parts, operation, piece)
    reads.set(place, reading)
    const there = await reading
    piece.done()
    return there === sha256 ? [] : [{ destination, text: `${destination} (${there ?? 'absent'} instead of ${sha256})` }]
  }
  const bytes = put.reduce((sum, operation) => sum + bytesOf(operation), 0)
  const about = { of: entryOf('read-back').title, doing: 'reading', pieces: put.length, bytes } as const
  const read = await parts.lists.metering(about, (meter) =>
    inParallel(put, PARALLEL, (operation) => readOne(operation, meter)),
  )
  const lost = read.flat()
  if (lost.length === 0) return new Map(put.map(operationFacts).map(({ destination, sha256 }) => [destination, sha256]))
  await journal.writer.write(async (trx) => {
    for (const { destination } of lost) await reopenOperation(trx, journal.version, destination)
  })
  throw new PitlaneError(
    'STORAGE_FAILED',
    `${journal.version}: what was put reads back differently:\n  ${lost.map(({ text }) => text).join('\n  ')}`,
    {
      hint: 'Did what stores it lose or change it, a disk or a server? Run the same command again: what is missing is written again.',
    },
  )
}

/** As readers have it. What they do not have, and the store has, is waited for. */
async function readAgain(parts: BackParts, operation: Operation, piece: Piece): Promise<string | null> {
  const { destination, sha256 } = operationFacts(operation)
  const shown = await digestIn(parts.readers, operation, piece)
  if (shown === sha256 || parts.readers.bucket === parts.bucket) return shown
  const stored = await digestIn(parts, operation, piece)
  if (stored !== sha256) return stored
  await untilShown(parts, destination, async () => (await digestIn(parts.readers, operation, piece)) === sha256)
  return sha256
}

/** Lower-case hex SHA-256 of what is there now, null when it is absent. */
async function digestIn({ bucket, registry }: Readers, operation: Operation, piece: Piece): Promise<string | null> {
  const { sha256 } = operationFacts(operation)
  const measured = async (stream: Readable | null) =>
    (await measureThere(stream === null ? null : counted(() => stream, piece)))?.sha256 ?? null
  if (operation.to === 'removal') throw new PitlaneError('INTERNAL', `${operation.key} was removed, not put`)
  if (operation.to === 'bucket') return measured(await bucket.open(operation.key))
  const digest = `sha256:${sha256}`
  if (operation.to === 'blob' && registry !== null) {
    // A server's word is only that it has something.
    if (isLayout({ registry })) return (await registry.hasBlob(operation.repository, digest)) ? sha256 : null
    return measured(await registry.openBlob(operation.repository, digest))
  }
  // Fails when the bytes under the digest are others.
  const bytes = (await registry?.readManifest(operation.repository, digest)) ?? null
  piece.at(bytes?.length ?? 0)
  return bytes === null ? null : sha256
}

function isLayout({ registry }: Pick<Readers, 'registry'>): boolean {
  return registry !== null && !isRegistryAddress(registry.location)
}

/** Right before the first visible entry: is it still the commit that was built, and is everything there that was declared? */
export async function prove(
  parts: ReleaseParts,
  plan: Plan,
  materials: Materials,
  sha256s: ReadonlyMap<string, string>,
): Promise<void> {
  const presence = readBackPresence(parts.readers, sha256s, materials.operations)
  await atOnce([() => requireSource(parts, plan), () => requireComplete(parts, plan, materials, presence)])
}

async function requireSource({ repository }: ReleaseParts, plan: Plan): Promise<void> {
  const { tag, commit, tree } = plan.source
  if (tag !== null) {
    const now = await repository.tagCommit(tag)
    if (now !== commit) {
      throw new PitlaneError('TAG_MOVED', `tag ${tag} was ${commit} when it was built and is ${now ?? 'gone'} now`, {
        hint: 'Nothing is visible yet. Put the tag back, or release the new commit under a new version.',
      })
    }
  }
  const source = await repository.source(commit)
  if (source.tree !== tree)
    throw new PitlaneError('TAG_MOVED', `commit ${commit} has tree ${source.tree}, and ${tree} was built`, {
      hint: 'Nothing is visible yet. Look at the repository with `git fsck`.',
    })
}

/** Everything as a stranger finds it, and every obligation counted once more against what is visible. */
export async function verifyAsStranger(
  parts: ReleaseParts,
  plan: Plan,
  materials: Materials,
  sha256s: ReadonlyMap<string, string>,
): Promise<void> {
  const { signer } = parts.lists
  const complete = ahead(
    visiblePresence(parts.readers, sha256s).then((presence) => requireComplete(parts, plan, materials, presence)),
  )
  const result = await verifyRelease({
    bucket: parts.readers.bucket,
    registryOf: () => Promise.resolve(parts.readers.registry),
    version: plan.version,
    key: signer === null ? null : parsePublicKey(signer.publicKey.line, 'the signing key'),
    now: parts.engine.clock.now(),
    metering: parts.lists.metering,
  })
  if (result.problems.length > 0) {
    throw new PitlaneError(
      'VERIFICATION_FAILED',
      `${plan.version} was published and does not verify:\n  ${result.problems.join('\n  ')}`,
      {
        hint: 'Somebody changed it meanwhile. Run the same command again: it puts back what is missing, and says what it must not replace.',
      },
    )
  }
  await complete
}
