/** What everything that computes lists is given. */
import type { Bucket } from '../../buckets/types.ts'
import type { Clock } from '../../clock.ts'
import type { Writer } from '../../database/writer.ts'
import type { Registry } from '../../image/types.ts'
import type { DocumentationPlace } from '../../plan/documentation.ts'
import type { Metering } from '../../run/meter.ts'
import { type ReleaseDocument } from '../document.ts'
import type { DocumentCheck } from '../documents.ts'
import type { DocumentMemory } from './document-memory.ts'
import { type StoredSite } from '../documentation/read-site.ts'
import type { Signer } from '../keys/sign.ts'
import { type States } from '../states/state-document.ts'

export interface SiteFile {
  readonly key: string
  readonly bytes: Buffer
  readonly contentType: string
  readonly cacheControl: string
  /** Where readers are sent on to. */
  readonly redirect?: string
}

/** Given by composition: `pages/site.ts`, which this room must not know. `index.json` comes last. */
export type RenderSite = (input: {
  readonly name: string
  readonly baseUrl: string
  readonly documents: readonly ReleaseDocument[]
  readonly states: States
  readonly documentation: StoredSite | null
  readonly documentSha256: (document: ReleaseDocument) => string
  readonly publicKey: { readonly minisign: string; readonly pem: string; readonly keyId: string } | null
  readonly serial: number
  readonly generatedAt: number
  readonly stableLinks: boolean
  readonly compare: (a: string, b: string) => number
}) => readonly SiteFile[]

export interface ListParts {
  readonly bucket: Bucket
  /** The bucket as `pitlane.yaml` names it: the same wherever the project lies. */
  readonly place: string
  /** Null where the project publishes no image. */
  readonly registry: Registry | null
  readonly signer: Signer | null
  readonly check: DocumentCheck | null
  readonly render: RenderSite
  readonly name: string
  readonly baseUrl: string
  /** Null where the project says nothing of documentation. */
  readonly documentation: DocumentationPlace | null
  /** Versions that may leave the lists because their documents are gone, and that pointers need not wait for. */
  readonly without?: ReadonlySet<string>
  /** A version whose document is about to be put: that it is not there is no loss. */
  readonly returning?: string
  /** Whether tags that move on are taken over where they name somebody else's image. */
  readonly takeTags?: boolean
  /**
   * Whether objects send readers on, tried once; absent for a bucket that has nothing of the kind. What could not be found out is as it was.
   * @param before what the lists that are there say
   */
  readonly sendsOn?: (before: boolean) => Promise<boolean>
  /** Told what was left out or does not count, and why. */
  readonly note: (message: string) => void
  readonly metering: Metering
  readonly clock: Clock
  /** Knows which lists were put out from here. */
  readonly writer: Writer
  /** What this machine remembers of the bucket's documents; without it all of them are read each time. */
  readonly memory?: DocumentMemory
  /** Does the work while nobody else publishes into the bucket. Not to be called within itself. */
  readonly exclusively: <T>(work: () => Promise<T>) => Promise<T>
}
