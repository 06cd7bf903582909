import type { Bucket } from '../../buckets/types.ts'
import { PitlaneError } from '../../errors.ts'
import type { ReleaseDocument } from '../../release/document.ts'
import { type DocumentCheck, documentCheck, readDocuments, readTrustedDocument } from '../../release/documents.ts'
import { listRetired, readRetired } from '../../release/retired.ts'
import { parsePublicKey } from '../../release/public-key.ts'
import { compareVersions } from '../../plan/version.ts'
import { shellWord } from '../../shell-word.ts'
import { absolute, guard, printJson } from '../command.ts'
import type { Context } from '../context.ts'
import { formatBytes, oneLine, printable } from '../output.ts'
import { planRevision } from '../planning.ts'

export async function list(this: Context, flags: { json: boolean }): Promise<void> {
  await guard(this, flags.json, async () => {
    const { bucket, check } = await published(this)
    const stored = await readDocuments(bucket, check)
    const retired = new Map(
      (await readRetired(bucket, (await listRetired(bucket)).versions, check)).map((mark) => [mark.version, mark]),
    )
    const documents = stored
      .map(({ document }) => document)
      .sort((a, b) => b.publishedAt.localeCompare(a.publishedAt) || compareVersions(b.version, a.version))
    if (flags.json) {
      return printJson(
        this,
        documents.map(({ version, channel, commit, publishedAt, files, image, signing }) => ({
          version,
          channel,
          commit,
          publishedAt,
          targets: files.map((file) => file.target),
          image: image === null ? null : `${image.repository}:${image.tag}@${image.digest}`,
          signed: signing.scheme !== 'none',
          retiredAt: retired.get(version)?.retiredAt ?? null,
        })),
      )
    }
    if (documents.length === 0) return void this.process.stdout.write('nothing is published yet\n')
    const width = Math.max(...documents.map(({ version }) => version.length))
    for (const document of documents) {
      const { version, channel, publishedAt, files, subject } = document
      const mark = retired.get(version)
      const columns = [
        // Whole, also where it is a commit: it is what `show` and `verify` ask for.
        version.padEnd(width),
        publishedAt,
        channel.padEnd(11),
        `${files.length} ${files.length === 1 ? 'target ' : 'targets'}`,
        printable(subject),
        ...(mark === undefined ? [] : [`retired, goes after ${mark.removeAfter}`]),
      ]
      this.process.stdout.write(`${columns.join('  ')}\n`)
    }
  })
}

export async function show(this: Context, flags: { json: boolean }, version: string): Promise<void> {
  await guard(this, flags.json, async () => {
    const { bucket, check } = await published(this)
    const isName = /^[A-Za-z0-9][A-Za-z0-9._+-]*$/.test(version)
    const found = isName ? await readTrustedDocument(bucket, version, check) : null
    if (found === null) {
      throw new PitlaneError('NOT_FOUND', `${bucket.location} has no release ${version}`, {
        hint: 'See `pitlane releases list`.',
      })
    }
    if (flags.json) return printJson(this, found.document)
    this.process.stdout.write(describeRelease(found.document, bucket.location, check !== null))
  })
}

/** The project's bucket, and how its documents are believed: null without the key, or where nothing is signed. */
async function published(context: Context): Promise<{ readonly bucket: Bucket; readonly check: DocumentCheck | null }> {
  const project = await context.project()
  const plan = await planRevision(project, undefined)
  const publish = plan.release?.publish
  if (publish == null)
    throw new PitlaneError('CONFIG_INVALID', `${project.file} declares no bucket`, {
      hint: 'Add `publish: { bucket: FOLDER }`.',
    })
  const bucket = await context.bucket(publish.bucket, project.folder)
  if (plan.release?.sign === 'none') return { bucket, check: null }
  try {
    const { publicKey } = await context.signer(plan.project)
    return { bucket, check: documentCheck(parsePublicKey(publicKey.line, 'the signing key')) }
  } catch (error) {
    // Whoever has no key to release with may look all the same.
    if (error instanceof PitlaneError && error.code === 'KEY_MISSING') return { bucket, check: null }
    throw error
  }
}

/** `bucket` is its folder. */
function describeRelease(document: ReleaseDocument, bucket: string, isChecked: boolean): string {
  const { signing, image, promotion } = document
  const lines = [
    `${document.name} ${document.version}  (${document.channel})`,
    '',
    `published  ${document.publishedAt} by ${printable(promotion.actor)}${promotion.reason === null ? '' : `: ${oneLine(promotion.reason)}`}`,
    `commit     ${document.commit}  ${printable(document.subject)}`,
    `plan       ${document.plan}, checks of build ${promotion.build}`,
    `signed     ${signing.scheme === 'none' ? 'no' : `minisign key ${signing.keyId}, ${isChecked ? 'and the signature is good' : 'not checked: the key is not here'}`}`,
    '',
    ...document.files.map((file) => {
      const test = document.tests.find((candidate) => candidate.target === file.target)
      return `  ${file.target}  ${formatBytes(file.size)}  ${testWords(test)}\n    sha256 ${file.sha256}`
    }),
  ]
  if (image !== null) {
    const name = `${image.repository}:${image.tag}`
    lines.push('', `image      ${name}`, `           ${image.digest}`)
    if (image.layout !== null) {
      const from = shellWord(`oci:${absolute(image.layout, bucket)}:${name}`)
      lines.push(`           to copy it: skopeo copy --all ${from} docker://REGISTRY/${name}`)
    }
  }
  if (document.notes !== null) lines.push('', ...document.notes.split('\n').map(printable))
  return `${lines.join('\n')}\n`
}

function testWords(test: ReleaseDocument['tests'][number] | undefined): string {
  if (test === undefined || test.result === 'none') return 'no release test'
  if (test.result === 'not-run') return `test not run: ${test.reason ?? ''}`
  return test.mode === 'qemu' ? 'test passed under qemu' : 'test passed natively'
}
