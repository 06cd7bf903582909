import { PitlaneError } from '../../errors.ts'
import type { ReleaseDocument } from '../../release/document.ts'
import { readDocument, readDocuments } from '../../release/documents.ts'
import { compareVersions } from '../../plan/version.ts'
import { shellWord } from '../../shell-word.ts'
import { absolute, guard, printJson } from '../command.ts'
import type { Context } from '../context.ts'
import { formatBytes, printable } from '../output.ts'
import { planRevision } from '../planning.ts'

export async function list(this: Context, flags: { json: boolean }): Promise<void> {
  await guard(this, flags.json, async () => {
    const stored = await readDocuments(await projectBucket(this), null)
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
        })),
      )
    }
    if (documents.length === 0) return void this.process.stdout.write('nothing is published yet\n')
    const width = Math.max(...documents.map((document) => shortName(document).length))
    for (const document of documents) {
      const { channel, publishedAt, files, subject } = document
      const columns = [
        shortName(document).padEnd(width),
        publishedAt,
        channel.padEnd(11),
        `${files.length} ${files.length === 1 ? 'target ' : 'targets'}`,
        printable(subject),
      ]
      this.process.stdout.write(`${columns.join('  ')}\n`)
    }
  })
}

export async function show(this: Context, flags: { json: boolean }, version: string): Promise<void> {
  await guard(this, flags.json, async () => {
    const bucket = await projectBucket(this)
    const found = /^[A-Za-z0-9][A-Za-z0-9._+-]*$/.test(version) ? await readDocument(bucket, version) : null
    if (found === null) {
      throw new PitlaneError('NOT_FOUND', `${bucket.location} has no release ${version}`, {
        hint: 'See `pitlane releases list`.',
      })
    }
    if (flags.json) return printJson(this, found.document)
    this.process.stdout.write(describeRelease(found.document, bucket.location))
  })
}

async function projectBucket(context: Context) {
  const project = await context.project()
  const plan = await planRevision(project, undefined)
  const publish = plan.release?.publish
  if (publish == null)
    throw new PitlaneError('CONFIG_INVALID', `${project.file} declares no bucket`, {
      hint: 'Add `publish: { bucket: FOLDER }`.',
    })
  return context.bucket(publish.bucket, project.folder)
}

function shortName(document: ReleaseDocument): string {
  return document.tag ?? document.version.slice(0, 12)
}

/** `bucket` is its folder. */
function describeRelease(document: ReleaseDocument, bucket: string): string {
  const { signing, image, promotion } = document
  const lines = [
    `${document.name} ${document.version}  (${document.channel})`,
    '',
    `published  ${document.publishedAt} by ${printable(promotion.actor)}${promotion.reason === null ? '' : `: ${printable(promotion.reason)}`}`,
    `commit     ${document.commit}  ${printable(document.subject)}`,
    `plan       ${document.plan}, checks of build ${promotion.build}`,
    `signed     ${signing.scheme === 'none' ? 'no' : `minisign key ${signing.keyId}`}`,
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
