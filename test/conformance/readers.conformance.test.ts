// What is published, as the tools find it that people fetch with from S3 and from registries. Debian: awscli rclone skopeo tar.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test, type TestContext } from 'node:test'
import { KEYS } from '../../src/plan/keys.ts'
import { BuiltDocument } from '../../src/release/document.ts'
import { absentPrograms, succeed } from '../world/program.ts'
import { PUBLIC_KEY } from '../world/toy.ts'
import { crane } from './peers/crane.ts'
import { distribution, startDistribution } from './peers/distribution.ts'
import { temporaryFolder } from './peers/server.ts'
import { startVersitygw, versitygw } from './peers/versitygw.ts'
import { pitlane, type Published, publishingTo, stop } from './publishing.ts'

const VERSION = 'v1.0.0'
const servers = { s3: versitygw(), registry: distribution(), crane: crane() }
const absent = Object.values(servers).flatMap((server) => ('absent' in server ? [server.absent] : []))

function lacks(t: TestContext, ...programs: readonly string[]): boolean {
  const missing = absentPrograms(...programs)
  if (missing.length > 0) t.skip(`not installed: ${missing.join(', ')}`)
  return missing.length > 0
}

const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex')

describe('readers of a release', { skip: absent[0] ?? false }, () => {
  let on: Published
  let document: BuiltDocument
  const temporary = temporaryFolder('readers')
  const folder = temporary.path

  before(async () => {
    assert.ok('program' in servers.s3 && 'program' in servers.registry)
    on = await publishingTo(await startVersitygw(servers.s3.program), await startDistribution(servers.registry.program))
    const { status, stdout, stderr } = await pitlane(on, 'release', VERSION)
    assert.equal(status, 0, stdout + stderr)
    const bytes = await (await fetch(`${on.web.url}/${KEYS.document(VERSION)}`)).text()
    document = BuiltDocument.parse(JSON.parse(bytes))
  })
  after(async () => {
    await stop(on)
    temporary.remove()
  })

  /** With the publisher's key, which is all that the server knows. */
  const aws = (...args: readonly string[]) =>
    succeed('aws', ['--endpoint-url', on.s3.url, '--region', on.s3.region, '--output', 'json', ...args], {
      env: {
        PATH: process.env['PATH'],
        HOME: folder,
        AWS_ACCESS_KEY_ID: on.s3.accessKey,
        AWS_SECRET_ACCESS_KEY: on.s3.secretKey,
        AWS_EC2_METADATA_DISABLED: 'true',
      },
    })

  test('aws: every file of the release is listed, has its bytes, and says how long it may be kept', async (t) => {
    if (lacks(t, 'aws')) return
    const { Contents } = JSON.parse(await aws('s3api', 'list-objects-v2', '--bucket', 'releases')) as {
      Contents: readonly { Key: string; Size: number }[]
    }
    const sizes = new Map(Contents.map(({ Key, Size }) => [Key, Size]))
    const local = join(folder, 'aws')
    await aws('s3', 'cp', '--quiet', '--recursive', 's3://releases', local)
    for (const { path, size, sha256: expected } of document.files) {
      assert.equal(sizes.get(path), size)
      assert.equal(sha256(readFileSync(join(local, path))), expected)
    }
    const head = async (key: string) =>
      JSON.parse(await aws('s3api', 'head-object', '--bucket', 'releases', '--key', key)) as Record<string, string>
    const binary = await head(document.files[0]?.path ?? '')
    assert.match(binary['CacheControl'] ?? '', /max-age=31536000.*immutable/)
    const page = await head(KEYS.page)
    assert.match(page['ContentType'] ?? '', /^text\/html/)
    assert.doesNotMatch(page['CacheControl'] ?? '', /immutable/)
  })

  test('rclone: a mirror verifies as the original does', async (t) => {
    if (lacks(t, 'rclone')) return
    const mirror = join(folder, 'mirror')
    const env = {
      PATH: process.env['PATH'],
      HOME: folder,
      RCLONE_CONFIG_PEER_TYPE: 's3',
      RCLONE_CONFIG_PEER_PROVIDER: 'Other',
      RCLONE_CONFIG_PEER_ENDPOINT: on.s3.url,
      RCLONE_CONFIG_PEER_REGION: on.s3.region,
      RCLONE_CONFIG_PEER_ACCESS_KEY_ID: on.s3.accessKey,
      RCLONE_CONFIG_PEER_SECRET_ACCESS_KEY: on.s3.secretKey,
    }
    await succeed('rclone', ['sync', 'peer:releases', mirror], { env })
    await succeed('rclone', ['check', 'peer:releases', mirror], { env })
    const verified = await pitlane(on, 'verify', VERSION, '--from', mirror, '--key', PUBLIC_KEY)
    assert.equal(verified.status, 0, verified.stdout + verified.stderr)
    assert.match(verified.stdout, /^ok {7}image example\/toy/m)
  })

  test('crane: the image is valid for every platform, and holds the binary that is published', async (t) => {
    if (lacks(t, 'tar')) return
    assert.ok('program' in servers.crane)
    const image = document.image ?? assert.fail('no image')
    const name = `${on.registry.host}/${image.repository}:${image.tag}`
    const { program } = servers.crane
    const run = (...args: readonly string[]) => succeed(program, args, { env: { HOME: folder } })
    assert.equal((await run('digest', name)).trim(), image.digest)
    await run('validate', '--remote', name)
    assert.deepEqual((await run('ls', `${on.registry.host}/${image.repository}`)).trim().split('\n'), [VERSION])
    for (const { platform, digest } of image.platforms) {
      assert.equal((await run('digest', '--platform', platform, name)).trim(), digest)
      const out = mkdtempSync(join(folder, 'crane-'))
      await run('export', '--platform', platform, name, join(out, 'image.tar'))
      await succeed('tar', ['-xf', join(out, 'image.tar'), '-C', out])
      const file = document.files.find((candidate) => candidate.platform === platform)
      assert.equal(sha256(readFileSync(join(out, 'toy'))), file?.sha256, platform)
    }
  })

  test('skopeo: copied from the registry to a layout, it is the same image to the byte', async (t) => {
    if (lacks(t, 'skopeo')) return
    const image = document.image ?? assert.fail('no image')
    const from = `docker://${on.registry.host}/${image.repository}:${image.tag}`
    const copy = `oci:${join(folder, 'skopeo')}:copy`
    const options = ['--insecure-policy', 'copy', '--quiet', '--all', '--preserve-digests', '--src-tls-verify=false']
    await succeed('skopeo', [...options, from, copy])
    assert.equal(`sha256:${sha256(await succeed('skopeo', ['inspect', '--raw', copy]))}`, image.digest)
  })
})
