/** Documents of releases that are made by hand, target by target. Pure. */
import { documentHead } from '../document-head.ts'
import type { ElfFacts } from '../../artifact/elf-facts.ts'
import { machineName } from '../../artifact/machines.ts'
import { PitlaneError } from '../../errors.ts'
import { KEYS } from '../../plan/keys.ts'
import type { Plan, PlannedOutput } from '../../plan/plan.ts'
import type { Target } from '../../plan/targets.ts'
import {
  type ByHand,
  isoSeconds,
  revisionOf,
  type BuiltDocument,
  type ReleaseFile,
  type ReleaseImage,
} from '../document.ts'
import type { StoredDocument } from '../revisions.ts'
import type { Signer } from '../keys/sign.ts'

/** A binary that was put, and what is known about it. */
export interface HandMade {
  readonly plan: Plan
  readonly file: ReleaseFile
  /** Whether it was held against its target. */
  readonly isChecked: boolean
  /** Null where the version is no tag of the repository. */
  readonly tag: string | null
  readonly signer: Signer | null
  /** What of the person is published. */
  readonly actor: string
  readonly pitlaneVersion: string
}

/** The file of a target as its document names it: where a release has it. */
export function handMadeFile(
  plan: Plan,
  target: Target,
  output: PlannedOutput,
  binary: { readonly size: number; readonly sha256: string; readonly elf: ElfFacts | null },
): ReleaseFile {
  const { elf } = binary
  return {
    kind: 'binary',
    name: output.name,
    path: KEYS.binary(plan.version, target.triple, output.name),
    size: binary.size,
    sha256: binary.sha256,
    mediaType: 'application/octet-stream',
    target: target.triple,
    platform: target.platform,
    elf: elf && {
      class: elf.class,
      machine: machineName(elf.machine),
      static: elf.interpreter === null && elf.needed.length === 0,
      pie: elf.type === 'dyn',
      arm: elf.arm,
    },
  }
}

/** @throws PitlaneError `CONTRADICTION` when what is there of the version is of another commit */
export function requireSameCommit({ commit }: BuiltDocument, { version, source }: Plan): void {
  if (commit === source.commit) return
  throw new PitlaneError(
    'CONTRADICTION',
    `${version} was made of another commit\n  there:  ${commit}\n  here:   ${source.commit}`,
    { hint: 'All targets of a version are of one commit: check it out, or use another version.' },
  )
}

/**
 * The first document of a version, or the revision that adds a target to the one before, which is of the same commit.
 * @param at milliseconds since 1970
 */
export function nextRevision(before: StoredDocument<BuiltDocument> | null, made: HandMade, at: number): BuiltDocument {
  const { plan, file, pitlaneVersion } = made
  const earlier = before?.document ?? firstDocument(made, at)
  const targets = plan.release?.targets ?? []
  const files = [...earlier.files, file].toSorted((a, b) => targets.indexOf(a.target) - targets.indexOf(b.target))
  const unchecked = new Set(earlier.byHand?.unchecked)
  if (!made.isChecked) unchecked.add(file.target)
  return {
    ...earlier,
    builder: builder(pitlaneVersion),
    files,
    tests: files.map(({ target, platform }) => ({
      target,
      platform,
      result: 'not-run',
      mode: null,
      binarySha256: null,
      reason: 'made by hand',
    })),
    byHand: {
      ...link(before, at),
      missing: targets.filter((target) => !files.some((other) => other.target === target)),
      unchecked: targets.filter((target) => unchecked.has(target)),
    },
  }
}

/** The revision that names the multi-platform image, which has none of a target that has no file. */
export function withImage(
  before: StoredDocument<BuiltDocument>,
  image: ReleaseImage,
  { at, pitlaneVersion }: { readonly at: number; readonly pitlaneVersion: string },
): BuiltDocument {
  const { byHand } = before.document
  if (byHand === undefined) throw new PitlaneError('INTERNAL', `${before.document.version} was not made by hand`)
  return { ...before.document, builder: builder(pitlaneVersion), image, byHand: { ...byHand, ...link(before, at) } }
}

function link(
  before: StoredDocument<BuiltDocument> | null,
  at: number,
): Pick<ByHand, 'revision' | 'revisedAt' | 'previousSha256'> {
  return {
    revision: before === null ? 1 : revisionOf(before.document) + 1,
    revisedAt: isoSeconds(at),
    previousSha256: before?.sha256 ?? null,
  }
}

function builder(pitlane: string): BuiltDocument['builder'] {
  return { pitlane, executor: 'none', isolation: 'not-run' }
}

function firstDocument({ plan, tag, signer, actor, pitlaneVersion }: HandMade, at: number): BuiltDocument {
  return {
    ...documentHead(plan, { tag, signer, publishedAt: at }),
    builder: builder(pitlaneVersion),
    promotion: { actor, reason: null, build: null },
    files: [],
    image: null,
    checks: [],
    tests: [],
  }
}

/** What has to be said of it, a sentence each. */
export function byHandRemarks({ revision, missing, unchecked, revisedAt }: ByHand): readonly string[] {
  return [
    `made by hand: neither checks nor tests were run${revision === 1 ? '' : `; revision ${revision} of its document, of ${revisedAt}`}`,
    ...(missing.length === 0 ? [] : [`it lacks ${missing.join(', ')}`]),
    ...(unchecked.length === 0 ? [] : [`not held against its target: ${unchecked.join(', ')}`]),
  ]
}
