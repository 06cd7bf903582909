/** Documents of versions that were in the bucket already. Pure. */
import { signingOf } from '../document-head.ts'
import { type AdoptedDocument, type AdoptedFile, isoSeconds } from '../document.ts'
import type { StoredDocument } from '../revisions.ts'
import type { Signer } from '../keys/sign.ts'

/** A file as a listing tells it. */
export interface FoundFile extends Omit<AdoptedFile, 'kind' | 'sha256' | 'modifiedAt'> {
  /** Milliseconds since 1970. */
  readonly modifiedAt: number
}

export interface AdoptionFacts {
  readonly project: string
  readonly version: string
  readonly channel: string
  readonly signer: Signer | null
  /** What of the person is published. */
  readonly actor: string
  readonly pitlaneVersion: string
}

/**
 * @param digests SHA-256 by path, of all files; null: nobody has read them
 * @param at milliseconds since 1970
 */
export function adoptedDocument(
  facts: AdoptionFacts,
  files: readonly FoundFile[],
  digests: ReadonlyMap<string, string> | null,
  at: number,
): AdoptedDocument {
  const { project, version, channel, signer, actor, pitlaneVersion } = facts
  return {
    format: 'pitlane-release/1',
    name: project,
    version,
    channel,
    publishedAt: isoSeconds(Math.min(...files.map(({ modifiedAt }) => modifiedAt))),
    signing: signingOf(signer),
    adopted: {
      revision: 1,
      revisedAt: isoSeconds(at),
      previousSha256: null,
      adoptedAt: isoSeconds(at),
      actor,
      pitlane: pitlaneVersion,
      digests: digests === null ? 'unknown' : 'computed',
    },
    files: files.map((file) => ({
      kind: 'binary',
      name: file.name,
      path: file.path,
      size: file.size,
      sha256: digests?.get(file.path) ?? null,
      target: file.target,
      platform: file.platform,
      modifiedAt: isoSeconds(file.modifiedAt),
    })),
  }
}

/** The revision that says the digests, of the same files. */
export function withDigests(
  before: StoredDocument<AdoptedDocument>,
  digests: ReadonlyMap<string, string>,
  { at, actor, pitlaneVersion }: { readonly at: number } & Pick<AdoptionFacts, 'actor' | 'pitlaneVersion'>,
): AdoptedDocument {
  const { document, sha256 } = before
  const { adopted, files } = document
  return {
    ...document,
    adopted: {
      ...adopted,
      revision: adopted.revision + 1,
      revisedAt: isoSeconds(at),
      previousSha256: sha256,
      actor,
      pitlane: pitlaneVersion,
      digests: 'computed',
    },
    files: files.map((file) => ({ ...file, sha256: digests.get(file.path) ?? null })),
  }
}

/** What has to be said of it, a sentence each. */
export function adoptedRemarks({ adopted }: Pick<AdoptedDocument, 'adopted'>): readonly string[] {
  return [
    `adopted on ${adopted.adoptedAt}: its files were there before, and were neither built, tested nor signed by Pitlane`,
    adopted.digests === 'unknown'
      ? 'the digests of its files are unknown'
      : `the digests of its files were computed on ${adopted.revisedAt}, and say nothing of the time before`,
  ]
}

/** What stands in the way of verifying one, a sentence each. */
export function unknownDigests({ version, adopted }: Pick<AdoptedDocument, 'version' | 'adopted'>): readonly string[] {
  return adopted.digests === 'computed'
    ? []
    : [
        `the digests of the files of ${version} are unknown: whether they are what was adopted can't be told; \`pitlane adopt --digest\` computes them`,
      ]
}
