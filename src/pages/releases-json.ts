/**
 * `_releases.json` in the shape of the Garage project's list, which scripts in the field read: exactly three sections, every
 * leaf below `builds` a string (sizes too), the first entry of `Release` is the latest. `hide` stays a boolean, as in the original: it is
 * a flag of the section, and the string "false" would be true to everyone who asks for it.
 */
import type { AdoptedFile, ReleaseDocument, ReleaseFile } from '../release/document.ts'
import { isWithdrawn } from '../release/states/state-document.ts'
import { KEYS } from '../plan/keys.ts'
import { absoluteUrl } from '../plan/key-url.ts'
import type { Catalogue } from './catalogue.ts'

export interface GarageSection {
  readonly name: 'Release' | 'Extra' | 'Development'
  readonly hide: boolean
  readonly type: 'tag' | 'commit'
  readonly description: string
  readonly builds: readonly GarageVersion[]
}

interface GarageVersion {
  readonly version: string
  readonly builds: readonly GarageBuild[]
}

interface GarageBuild {
  /** Day of publication in UTC, `2026-11-23`; of an adopted file that on which it was put there. */
  readonly date: string
  /** Time of the same, `18:04:05`. */
  readonly time: string
  /** Bytes, in decimal digits. */
  readonly size: string
  /** Key in the bucket, without a leading slash. */
  readonly path: string
  /** First segment of the path. */
  readonly root: string
  readonly version: string
  /** The full triple. */
  readonly platform: string
  readonly binary: string
  /** Absolute. */
  readonly url: string
}

export function garageList(catalogue: Catalogue): readonly GarageSection[] {
  const versions = (documents: readonly ReleaseDocument[]) =>
    // Its shape has no word for a release that is withdrawn, and its readers take the first one.
    documents
      .filter(({ version }) => !isWithdrawn(catalogue.states, version))
      .map((document) => ({ version: document.version, builds: builds(catalogue.baseUrl, document) }))
  return [
    {
      name: 'Release',
      hide: false,
      type: 'tag',
      description: 'Stable releases.',
      builds: versions(catalogue.stable),
    },
    {
      name: 'Extra',
      hide: true,
      type: 'tag',
      description: 'Prereleases and other tags.',
      builds: versions(catalogue.extra),
    },
    {
      name: 'Development',
      hide: true,
      type: 'commit',
      description: 'Builds of single commits.',
      builds: versions(catalogue.development),
    },
  ]
}

function builds(baseUrl: string, document: ReleaseDocument): readonly GarageBuild[] {
  return document.files.map((file: ReleaseFile | AdoptedFile) => ({
    ...moment('modifiedAt' in file ? file.modifiedAt : document.publishedAt),
    size: String(file.size),
    path: file.path,
    root: KEYS.releases.replace(/\/$/, ''),
    version: document.version,
    platform: file.target,
    binary: file.name,
    url: absoluteUrl(baseUrl, file.path),
  }))
}

function moment(iso: string): Pick<GarageBuild, 'date' | 'time'> {
  return { date: iso.slice(0, 10), time: iso.slice(11, 19) }
}
