import type { Bucket } from '../../buckets/types.ts'
import { PitlaneError } from '../../errors.ts'
import { byHandRemarks } from '../../release/by-hand/by-hand.ts'
import { adoptedRemarks } from '../../release/adopt/document.ts'
import {
  type AdoptedDocument,
  type BuiltDocument,
  builtOf,
  commitOf,
  isAdopted,
  type ReleaseDocument,
} from '../../release/document.ts'
import { type DocumentCheck, documentCheck, listedDocuments, readTrustedDocument } from '../../release/documents.ts'
import { listRetired, readRetired, retires } from '../../release/retention/retired.ts'
import { isWithdrawn, type StateDocument } from '../../release/states/state-document.ts'
import { readStates, shownStates } from '../../release/states/states.ts'
import { parsePublicKey, type PublicKey } from '../../release/keys/public-key.ts'
import { compareVersions } from '../../plan/version.ts'
import { shellWord } from '../../words/shell-word.ts'
import { requirePublish } from '../by-hand.ts'
import { absolute, guard, printJson } from '../command.ts'
import type { Context } from '../context.ts'
import { formatBytes } from '../amounts.ts'
import { oneLine, printable } from '../output.ts'
import { planRevision } from '../planning.ts'

export async function list(this: Context, flags: { json: boolean }): Promise<void> {
  await guard(this, flags.json, async () => {
    const { name, bucket, key, check } = await published(this)
    const stored = await listedDocuments(bucket, check)
    const { states } = await readStates(
      bucket,
      stored.map(({ document }) => document),
      await shownStates(bucket, key, name),
      check,
    )
    const there = new Map(stored.map((release) => [release.document.version, release]))
    const { marks, strays } = await readRetired(bucket, await listRetired(bucket), new Set(there.keys()), check)
    const leaving = marks.filter((mark) => {
      const release = there.get(mark.version)
      return release !== undefined && retires(mark, release)
    })
    const retired = new Map(leaving.map((mark) => [mark.version, mark]))
    for (const stray of strays) this.process.stderr.write(`${oneLine(stray)}\n`)
    const documents = stored
      .map(({ document }) => document)
      .sort((a, b) => b.publishedAt.localeCompare(a.publishedAt) || compareVersions(b.version, a.version))
    if (flags.json) {
      return printJson(
        this,
        documents.map((document) => ({
          ...listed(document),
          ...shownState(states.get(document.version)?.state ?? null),
          retiredAt: retired.get(document.version)?.retiredAt ?? null,
        })),
      )
    }
    if (documents.length === 0) return void this.process.stdout.write('nothing is published yet\n')
    const width = Math.max(...documents.map(({ version }) => version.length))
    for (const document of documents) {
      const { version, channel, publishedAt, files } = document
      const mark = retired.get(version)
      const columns = [
        // Whole, also where it is a commit: it is what `show` and `verify` ask for.
        version.padEnd(width),
        publishedAt,
        channel.padEnd(11),
        `${files.length} ${files.length === 1 ? 'target ' : 'targets'}`,
        isWithdrawn(states, version) ? 'WITHDRAWN' : '',
        origin(document),
        mark === undefined ? '' : `retired, goes after ${mark.removeAfter}`,
      ].filter((column) => column !== '')
      this.process.stdout.write(`${columns.join('  ')}\n`)
    }
  })
}

export async function show(this: Context, flags: { json: boolean }, version: string): Promise<void> {
  await guard(this, flags.json, async () => {
    const { name, bucket, key, check } = await published(this)
    const isName = /^[A-Za-z0-9][A-Za-z0-9._+-]*$/.test(version)
    const found = isName ? await readTrustedDocument(bucket, version, check) : null
    if (found === null) {
      throw new PitlaneError('NOT_FOUND', `${bucket.location} has no release ${version}`, {
        hint: 'See `pitlane releases list`.',
      })
    }
    const { states } = await readStates(bucket, [found.document], await shownStates(bucket, key, name), check)
    const state = states.get(version)?.state ?? null
    if (flags.json) return printJson(this, { ...found.document, ...shownState(state) })
    const { document } = found
    const lines = isAdopted(document)
      ? describeAdopted(document, state, check !== null)
      : describeRelease(document, state, bucket.location, check !== null)
    this.process.stdout.write(lines.map((line) => `${line}\n`).join(''))
  })
}

interface Published {
  /** Of the project. */
  readonly name: string
  readonly bucket: Bucket
  readonly key: PublicKey | null
  readonly check: DocumentCheck | null
}

/** The project's bucket, and how its documents are believed: null without the key, or where nothing is signed. */
async function published(context: Context): Promise<Published> {
  const project = await context.project()
  const plan = await planRevision(project, undefined)
  const { publish, release } = requirePublish(plan, project)
  const bucket = await context.bucket(publish.bucket, project.folder)
  const unchecked = { name: plan.project, bucket, key: null, check: null }
  if (release.sign === 'none') return unchecked
  try {
    const { publicKey } = await context.signer(plan.project)
    const key = parsePublicKey(publicKey.line, 'the signing key')
    return { name: plan.project, bucket, key, check: documentCheck(key) }
  } catch (error) {
    // Whoever has no key to release with may look all the same.
    if (error instanceof PitlaneError && error.code === 'KEY_MISSING') return unchecked
    throw error
  }
}

/** How it came to be, for a line. */
function origin(document: ReleaseDocument): string {
  if (isAdopted(document)) return `adopted${document.adopted.digests === 'unknown' ? ', digests unknown' : ''}`
  return `${document.byHand === undefined ? '' : 'made by hand: '}${printable(document.subject)}`
}

function listed(document: ReleaseDocument) {
  const { version, channel, publishedAt, files, signing } = document
  const built = builtOf(document)
  const image = built?.image ?? null
  return {
    version,
    channel,
    commit: commitOf(document),
    publishedAt,
    targets: files.map((file) => file.target),
    image: image === null ? null : `${image.repository}:${image.tag}@${image.digest}`,
    // What was adopted carries no signature of those who made it.
    signed: built !== null && signing.scheme !== 'none',
    byHand: built?.byHand !== undefined,
    adopted: isAdopted(document) ? { at: document.adopted.adoptedAt, digests: document.adopted.digests } : null,
  }
}

function describeAdopted(
  document: AdoptedDocument,
  state: StateDocument | null,
  isChecked: boolean,
): readonly string[] {
  const commit = commitOf(document)
  return [
    `${document.name} ${document.version}  (${document.channel})`,
    '',
    `put there  ${document.publishedAt}, by something else than Pitlane`,
    `adopted    ${document.adopted.adoptedAt} by ${printable(document.adopted.actor)}`,
    ...(state === null ? [] : stateLines(state)),
    ...(commit === null ? [] : [`commit     ${commit}, as its name says`]),
    ...adoptedRemarks(document).map((line) => `note       ${line}`),
    `signed     none of its files; its document: ${signatureWords(document, isChecked)}`,
    '',
    ...document.files.map(
      ({ target, size, modifiedAt, sha256 }) =>
        `  ${target}  ${formatBytes(size)}  of ${modifiedAt}\n    sha256 ${sha256 ?? 'unknown'}`,
    ),
  ]
}

function signatureWords({ signing }: ReleaseDocument, isChecked: boolean): string {
  if (signing.scheme === 'none') return 'no'
  return `minisign key ${signing.keyId}, ${isChecked ? 'and the signature is good' : 'not checked: the key is not here'}`
}

/** `bucket` is its folder. */
function describeRelease(
  document: BuiltDocument,
  state: StateDocument | null,
  bucket: string,
  isChecked: boolean,
): readonly string[] {
  const { image, promotion } = document
  const lines = [
    `${document.name} ${document.version}  (${document.channel})`,
    '',
    `published  ${document.publishedAt} by ${printable(promotion.actor)}${promotion.reason === null ? '' : `: ${oneLine(promotion.reason)}`}`,
    ...(state === null ? [] : stateLines(state)),
    `commit     ${document.commit}  ${printable(document.subject)}`,
    `plan       ${document.plan}, ${promotion.build === null ? 'no checks were run' : `checks of build ${promotion.build}`}`,
    ...(document.byHand === undefined ? [] : byHandRemarks(document.byHand).map((line) => `note       ${line}`)),
    `signed     ${signatureWords(document, isChecked)}`,
    '',
    ...document.files.map((file) => {
      const test = document.tests.find((candidate) => candidate.target === file.target)
      return `  ${file.target}  ${formatBytes(file.size)}  ${testWords(test)}\n    sha256 ${file.sha256}`
    }),
  ]
  if (image !== null) {
    const name = `${image.registry === undefined ? '' : `${image.registry}/`}${image.repository}:${image.tag}`
    lines.push('', `image      ${name}`, `           ${image.digest}`)
    if (image.layout !== null) {
      const from = shellWord(`oci:${absolute(image.layout, bucket)}:${name}`)
      lines.push(`           to copy it: skopeo copy --all ${from} docker://REGISTRY/${name}`)
    }
  }
  if (document.notes !== null) lines.push('', ...document.notes.split('\n').map(printable))
  return lines
}

function stateLines({ state, since, actor, reason, supersededBy }: StateDocument): readonly string[] {
  const lines = [
    `${state === 'withdrawn' ? 'WITHDRAWN' : 'restored '}  ${since} by ${printable(actor)}: ${oneLine(reason)}`,
  ]
  return supersededBy === null ? lines : [...lines, `           use ${supersededBy}`]
}

/** `published` for a release that was never withdrawn, or is put back. */
function shownState(state: StateDocument | null) {
  if (state?.state !== 'withdrawn') return { state: 'published', withdrawn: null }
  const { since, reason, supersededBy, actor } = state
  return { state: 'withdrawn', withdrawn: { since, reason, supersededBy, actor } }
}

function testWords(test: BuiltDocument['tests'][number] | undefined): string {
  if (test === undefined || test.result === 'none') return 'no release test'
  if (test.result === 'not-run') return `test not run: ${test.reason ?? ''}`
  if (test.executed === false) return 'test passed, but did not run the binary'
  return test.mode === 'qemu' ? 'test passed under qemu' : 'test passed natively'
}
