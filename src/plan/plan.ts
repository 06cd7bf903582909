/**
 * The plan: everything a build and its release will do, fixed before the first step runs. Plain JSON; stored as it is, read back
 * by later versions. Nothing after planning looks anything up again: what was resolved here is inherited.
 */

import type { DocumentationPlace } from './documentation.ts'

/** The commit a plan is made for, as git knows it; resolved once by `forges/git/source.ts`. */
export interface Source {
  /** Full commit id, 40 or 64 hexadecimal digits. */
  readonly commit: string
  /** The commit's tree id: equal trees are equal sources. */
  readonly tree: string
  /** Tag name without `refs/tags/`, null when the revision is not a tag. */
  readonly tag: string | null
  /** Committer time, whole seconds since 1970: `SOURCE_DATE_EPOCH`. */
  readonly commitTime: number
  /** First line of the commit message. */
  readonly subject: string
  /** Message of the annotated tag, null when the tag is lightweight or absent. */
  readonly tagMessage: string | null
}

export interface Plan {
  readonly format: 1
  /** `plan-` and the first 32 hex digits of the SHA-256 of the canonical JSON of everything else: same input, same id. */
  readonly id: string
  readonly project: string
  readonly source: Source
  /** The tag, or the full commit id where there is no tag. */
  readonly version: string
  readonly channel: string
  readonly configuration: { readonly file: string; readonly sha256: string }
  /** Release notes, resolved while planning: the annotated tag's message or the version's section of CHANGELOG.md. */
  readonly notes: string | null
  readonly stages: readonly PlannedStage[]
  /** Null when the project declares no release. */
  readonly release: PlannedRelease | null
}

export interface PlannedStage {
  /** `checks`, `build/<target>`, `test/<target>`, `documentation`: an identity, not a display name. */
  readonly id: string
  readonly kind: 'checks' | 'build' | 'test' | 'documentation'
  readonly target: string | null
  /** Stages that must have succeeded before this one starts. */
  readonly needs: readonly string[]
  readonly steps: readonly PlannedStep[]
  readonly outputs: readonly PlannedOutput[]
  /** A folder that it promises to leave, relative to the stage's checkout; only of `documentation`. */
  readonly folder?: string
  /** For `test`: whether not being able to run stops the release. Always true for the other kinds. */
  readonly required: boolean
}

export interface PlannedStep {
  /** `<stage>/<name>`. */
  readonly id: string
  readonly name: string
  /** POSIX shell text, run with `sh -e` in the stage's clean checkout. */
  readonly run: string
  /** Variables set for this step, beside the allow-listed ones; sorted by name. */
  readonly env: Readonly<Record<string, string>>
  /** Milliseconds; a step has always a limit. */
  readonly timeout: number
  /** Ids of steps of the same stage that must have succeeded before. */
  readonly needs: readonly string[]
}

/** A file that a stage promises to leave in its folder. */
export interface PlannedOutput {
  /** `binary/<target>`. */
  readonly id: string
  readonly target: string
  /** File name of the published binary. */
  readonly name: string
  /** Relative to the stage's checkout; never absolute, never with `..`. */
  readonly path: string
  /** Whether the executable has to be statically linked. */
  readonly static: boolean
  readonly obligations: readonly Obligation[]
}

/** What has to exist for an output before its release may become visible; counted at the end. */
export type Obligation = 'bytes' | 'digest' | 'elf' | 'signature' | 'test' | 'image' | 'page'

export interface PlannedRelease {
  /** Triples in the order they were declared. */
  readonly targets: readonly string[]
  readonly sign: 'minisign' | 'none'
  readonly image: PlannedImage | null
  /** Absent where the project has none. Its stage is there where the documentation of this version goes anywhere. */
  readonly documentation?: PlannedDocumentation
  readonly publish: PlannedPublish | null
}

export interface PlannedDocumentation extends DocumentationPlace {
  /** Prefix in the bucket under which that of this version stays; null where it does not. */
  readonly kept: string | null
  /** Whether it becomes the documentation of the project, if no newer release is that. */
  readonly newest: boolean
}

export interface PlannedImage {
  /** Repository of the multi-platform image, as in `dxflrs/garage`. */
  readonly repository: string
  /** The version as an image tag; see `plan/version.ts` for the mapping. */
  readonly tag: string
  readonly command: readonly string[]
  /** `NAME=value`, in the order declared. */
  readonly env: readonly string[]
  readonly labels: Readonly<Record<string, string>>
  readonly platforms: readonly { readonly target: string; readonly platform: string; readonly repository: string }[]
  /** Whose media types manifests, configs, layers and the index have; absent: OCI's. */
  readonly format?: 'docker'
  /** Tags of the multi-platform image that move on to this version while it is the newest; absent: none. */
  readonly floating?: readonly string[]
}

export interface PlannedPublish {
  /** Folder of the bucket, relative to the project or absolute; or an S3 address. */
  readonly bucket: string
  /** Folder of the OCI image layout, or the address of a registry; null when the project publishes no image. */
  readonly registry: string | null
  /** Address under which people reach the bucket, without a trailing slash; null when it is only a folder. */
  readonly public: string | null
  /** Where each thing will go; no destination occurs twice. */
  readonly map: readonly { readonly source: string; readonly destination: string }[]
}
