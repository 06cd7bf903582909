import type { Bucket } from '../../buckets/types.ts'
import { PitlaneError } from '../../errors.ts'
import { byHandRemarks } from '../../release/by-hand.ts'
import type { ReleaseDocument } from '../../release/document.ts'
import { type DocumentCheck, documentCheck, readDocuments, readTrustedDocument } from '../../release/documents.ts'
import { listRetired, readRetired } from '../../release/retired.ts'
import { isWithdrawn, type StateDocument } from '../../release/state-document.ts'
import { readStates, shownStates } from '../../release/states.ts'
import { parsePublicKey, type PublicKey } from '../../release/public-key.ts'
import { compareVersions } from '../../plan/version.ts'
import { shellWord } from '../../shell-word.ts'
import { requirePublish } from '../by-hand.ts'
import { absolute, guard, printJson } from '../command.ts'
import type { Context } from '../context.ts'
import { formatBytes, oneLine, printable } from '../output.ts'
import { planRevision } from '../planning.ts'

export async function list(this: Context, flags: { json: boolean }): Promise<void> {
  await guard(this, flags.json, async () => {
    const { name, bucket, key, check } = await published(this)
    const stored = await readDocuments(bucket, check)
    const { states } = await readStates(
      bucket,
      stored.map(({ document }) => document),
      await shownStates(bucket, key, name),
      check,
    )
    const retired = new Map(
      (await readRetired(bucket, (await listRetired(bucket)).versions, check)).map((mark) => [mark.version, mark]),
    )
    const documents = stored
      .map(({ document }) => document)
      .sort((a, b) => b.publishedAt.localeCompare(a.publishedAt) || compareVersions(b.version, a.version))
    if (flags.json) {
      return printJson(
        this,
        documents.map(({ version, channel, commit, publishedAt, files, image, signing, byHand }) => ({
          version,
          channel,
          commit,
          publishedAt,
          targets: files.map((file) => file.target),
          image: image === null ? null : `${image.repository}:${image.tag}@${image.digest}`,
          signed: signing.scheme !== 'none',
          byHand: byHand !== undefined,
          ...shownState(states.get(version)?.state ?? null),
          retiredAt: retired.get(version)?.retiredAt ?? null,
        })),
      )
    }
    if (documents.length === 0) return void this.process.stdout.write('nothing is published yet\n')
    const width = Math.max(...documents.map(({ version }) => version.length))
    for (const document of documents) {
      const { version, channel, publishedAt, files, subject, byHand } = document
      const mark = retired.get(version)
      const columns = [
        // Whole, also where it is a commit: it is what `show` and `verify` ask for.
        version.padEnd(width),
        publishedAt,
        channel.padEnd(11),
        `${files.length} ${files.length === 1 ? 'target ' : 'targets'}`,
        isWithdrawn(states, version) ? 'WITHDRAWN' : '',
        `${byHand === undefined ? '' : 'made by hand: '}${printable(subject)}`,
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
    this.process.stdout.write(describeRelease(found.document, state, bucket.location, check !== null))
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

/** `bucket` is its folder. */
function describeRelease(
  document: ReleaseDocument,
  state: StateDocument | null,
  bucket: string,
  isChecked: boolean,
): string {
  const { signing, image, promotion } = document
  const lines = [
    `${document.name} ${document.version}  (${document.channel})`,
    '',
    `published  ${document.publishedAt} by ${printable(promotion.actor)}${promotion.reason === null ? '' : `: ${oneLine(promotion.reason)}`}`,
    ...(state === null ? [] : stateLines(state)),
    `commit     ${document.commit}  ${printable(document.subject)}`,
    `plan       ${document.plan}, ${promotion.build === null ? 'no checks were run' : `checks of build ${promotion.build}`}`,
    ...(document.byHand === undefined ? [] : byHandRemarks(document.byHand).map((line) => `note       ${line}`)),
    `signed     ${signing.scheme === 'none' ? 'no' : `minisign key ${signing.keyId}, ${isChecked ? 'and the signature is good' : 'not checked: the key is not here'}`}`,
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
  return `${lines.join('\n')}\n`
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

function testWords(test: ReleaseDocument['tests'][number] | undefined): string {
  if (test === undefined || test.result === 'none') return 'no release test'
  if (test.result === 'not-run') return `test not run: ${test.reason ?? ''}`
  if (test.executed === false) return 'test passed, but did not run the binary'
  return test.mode === 'qemu' ? 'test passed under qemu' : 'test passed natively'
}
