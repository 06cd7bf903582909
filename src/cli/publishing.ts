/** Bucket, registry, their readers, signer and lists of a plan that publishes. */
import { pathToFileURL } from 'node:url'
import { isS3Address } from '../buckets/address.ts'
import { PitlaneError } from '../errors.ts'
import { isRegistryAddress, parseRegistryAddress } from '../image/address.ts'
import { pulledByAnybody } from '../image/pulling.ts'
import { renderSite } from '../pages/site.ts'
import type { Plan } from '../plan/plan.ts'
import { metering } from '../run/meter.ts'
import type { Report } from '../run/progress.ts'
import { wait } from '../run/waiting.ts'
import type { Bucket } from '../buckets/types.ts'
import { KEYS } from '../plan/keys.ts'
import type { ListParts } from '../release/lists/list-parts.ts'
import { documentCheck } from '../release/documents.ts'
import type { ImagePlace } from '../release/materials.ts'
import { parsePublicKey } from '../release/keys/public-key.ts'
import type { Readers } from '../release/shown.ts'
import type { Signer } from '../release/keys/sign.ts'
import { absolute, relativeFolder, WAIT } from './command.ts'
import type { Context, Project, State } from './context.ts'

export interface PublishingParts extends Pick<State, 'writer' | 'owner' | 'memory'> {
  readonly report: Report
  readonly noWait: boolean
  /** See `ListParts`. */
  readonly takeTags?: boolean
  readonly without?: ReadonlySet<string>
  /** In place of the one with the project's signing key; null where nothing is signed. */
  readonly signer?: Signer | null
}

export async function publishing(
  context: Context,
  project: Project,
  plan: Plan,
  { report, writer, owner, memory, noWait, takeTags = false, without = new Set(), signer: given }: PublishingParts,
) {
  const publish = plan.release?.publish
  if (publish == null || plan.release === null) throw new PitlaneError('INTERNAL', `plan ${plan.id} publishes nothing`)
  const base = project.folder
  const signer = given !== undefined ? given : plan.release.sign === 'none' ? null : await context.signer(plan.project)
  const bucket = await context.bucket(publish.bucket, base)
  const baseUrl = publish.public ?? pathToFileURL(absolute(publish.bucket, base)).href.replace(/\/$/, '')
  const check = signer === null ? null : documentCheck(parsePublicKey(signer.publicKey.line, 'the signing key'))
  const registry = publish.registry === null ? null : await context.registry(publish.registry, base)
  const told = new Set<string>()
  const note = (message: string) => {
    if (!told.has(message)) report({ event: 'note', message })
    told.add(message)
  }
  const exclusively = async <T>(work: () => Promise<T>): Promise<T> => {
    const waiting = wait({ clock: context.clock, report }, 'publisher')
    const lease = await bucket
      .lease({
        owner,
        wait: noWait ? 0 : WAIT,
        onWait: (holder) => waiting.begin(`${holder} to end`),
        onUnsupported: (reason) => note(`${reason}. Nobody else may publish there at the same time.`),
        onHeld: note,
        signal: context.stop.drain,
      })
      .finally(() => waiting.end())
    const done = await work().catch(async (error: unknown) => {
      // What failed first is what is told.
      await lease.release().catch(() => undefined)
      throw error
    })
    await lease.release().catch((error: unknown) => {
      if (!(error instanceof PitlaneError)) throw error
      note(`the lease could not be given back, and ends by itself: ${error.message}`)
    })
    return done
  }
  const readers = await readersOf(context, publish, { bucket, registry }, note)
  return {
    bucket,
    registry,
    readers,
    images: imagePlace(publish, base),
    lists: {
      bucket,
      place: publish.bucket,
      registry,
      signer,
      check,
      render: renderSite,
      name: plan.project,
      baseUrl,
      documentation: plan.release.documentation ?? null,
      takeTags,
      without,
      ...sendingOn({ bucket, readers }, baseUrl, note),
      note,
      metering: metering({ clock: context.clock, report }),
      clock: context.clock,
      writer,
      memory,
      exclusively,
    },
  }
}

/** Only where readers come by an address: a folder sends nobody on. */
function sendingOn(
  { bucket, readers }: { readonly bucket: Bucket; readonly readers: Readers },
  baseUrl: string,
  note: (message: string) => void,
): Pick<ListParts, 'sendsOn'> {
  const { redirectOf } = readers.bucket
  if (readers.bucket === bucket || bucket.redirects === undefined || redirectOf === undefined) return {}
  const find = async (before: boolean) => {
    try {
      const able = await bucket.redirects?.(`${baseUrl}/${KEYS.page}`, (key) => redirectOf.call(readers.bucket, key))
      if (able !== true)
        note(
          `${baseUrl} sends no readers on (x-amz-website-redirect-location): there are no addresses of the newest release`,
        )
      return able === true
    } catch (error) {
      if (!(error instanceof PitlaneError) || error.code !== 'FETCH_FAILED') throw error
      note(`whether ${baseUrl} sends readers on was not found out, and is left as it was: ${error.message}`)
      return before
    }
  }
  let found: Promise<boolean> | undefined
  return { sendsOn: (before) => (found ??= find(before)) }
}

type Publish = NonNullable<NonNullable<Plan['release']>['publish']>

/** A folder is read as it is: whether anybody serves it at the public address is not known here. */
async function readersOf(
  context: Context,
  { bucket, registry, public: address }: Publish,
  written: Readers,
  note: (message: string) => void,
): Promise<Readers> {
  const own = written.registry
  return {
    bucket: isS3Address(bucket) && address !== null ? await context.published(address) : written.bucket,
    registry:
      registry !== null && own !== null && isRegistryAddress(registry)
        ? pulledByAnybody(
            await context.registry(registry, '', 'anybody'),
            () => Promise.resolve(own),
            (repository) =>
              note(`${registry} gives ${repository} only to who logs in: its images are checked with your login.`),
          )
        : own,
  }
}

function imagePlace({ bucket, registry }: Publish, base: string): ImagePlace {
  if (registry === null) return { layout: null }
  if (isRegistryAddress(registry)) {
    const { host, namespace } = parseRegistryAddress(registry)
    return { layout: null, registry: `${host}/${namespace}`.replace(/\/$/, '') }
  }
  // A layout on this machine is nothing that readers of an S3 bucket could find.
  return { layout: isS3Address(bucket) ? null : relativeFolder(bucket, registry, base) }
}
