// A bucket that older scripts filled with aws and rclone, with the tags of a real project, on real S3 servers: adopted, audited, verified, installed from, withdrawn. Debian: awscli rclone curl.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { parseS3Address } from '../../src/buckets/address.ts'
import { s3Bucket } from '../../src/buckets/s3/bucket.ts'
import { s3Client } from '../../src/buckets/s3/client.ts'
import { systemClock } from '../../src/clock.ts'
import { KEYS } from '../../src/plan/keys.ts'
import { TARGETS } from '../../src/plan/targets.ts'
import { parseSiteIndex } from '../../src/release/lists/site-index.ts'
import { absentPrograms, runProgram, succeed } from '../world/program.ts'
import { PUBLIC_KEY } from '../world/toy.ts'
import { distribution, startDistribution } from './peers/distribution.ts'
import { garage, startGarage } from './peers/garage.ts'
import type { S3Server } from './peers/s3.ts'
import { temporaryFolder } from './peers/server.ts'
import { startVersitygw, versitygw } from './peers/versitygw.ts'
import { pitlane, type Published, publishingTo, stop } from './publishing.ts'

const TAGS = readFileSync(new URL('../../src/plan/fixtures/garage-tags.txt', import.meta.url), 'utf8')
  .trim()
  .split('\n')
const [X86 = '', ARM64 = ''] = TARGETS.map(({ triple }) => triple)
const COMMIT = 'c0ffee'.repeat(6).concat('beef')
/** More than what aws puts at once: its object is one of several parts. */
const LARGE = 9 * 1024 * 1024

interface Listed {
  readonly Key: string
  readonly Size: number
  readonly ETag: string
  readonly LastModified: string
}

function adopting(s3Of: () => Promise<S3Server>, registryProgram: string): void {
  let on: Published
  /** As the older scripts left it. */
  let old: readonly Listed[]
  const folder = temporaryFolder('adopt')
  const local = join(folder.path, 'old')

  const aws = (...args: readonly string[]) =>
    succeed('aws', ['--endpoint-url', on.s3.url, '--region', on.s3.region, '--output', 'json', ...args], {
      env: {
        PATH: process.env['PATH'],
        HOME: folder.path,
        AWS_ACCESS_KEY_ID: on.s3.accessKey,
        AWS_SECRET_ACCESS_KEY: on.s3.secretKey,
        AWS_EC2_METADATA_DISABLED: 'true',
      },
    })
  const rclone = (...args: readonly string[]) =>
    succeed('rclone', [...args], {
      env: {
        PATH: process.env['PATH'],
        HOME: folder.path,
        RCLONE_CONFIG_PEER_TYPE: 's3',
        RCLONE_CONFIG_PEER_PROVIDER: 'Other',
        RCLONE_CONFIG_PEER_ENDPOINT: on.s3.url,
        RCLONE_CONFIG_PEER_REGION: on.s3.region,
        RCLONE_CONFIG_PEER_ACCESS_KEY_ID: on.s3.accessKey,
        RCLONE_CONFIG_PEER_SECRET_ACCESS_KEY: on.s3.secretKey,
      },
    })
  const listed = async () => {
    const { Contents } = JSON.parse(await aws('s3api', 'list-objects-v2', '--bucket', 'releases')) as {
      Contents: readonly Listed[]
    }
    return Contents
  }
  const write = (key: string, bytes: string | Buffer) => {
    const path = join(local, key)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, bytes)
  }
  const done = async (...args: string[]) => {
    const { status, stdout, stderr } = await pitlane(on, ...args)
    assert.equal(status, 0, stdout + stderr)
    return stdout
  }
  const served = async (key: string) => (await fetch(`${on.web.url}/${key}`)).text()
  const index = async () => parseSiteIndex(Buffer.from(await served(KEYS.index)), KEYS.index)

  before(async () => {
    on = await publishingTo(await s3Of(), await startDistribution(registryProgram))
    for (const tag of TAGS.slice(1))
      for (const target of [X86, ARM64]) write(`${tag}/${target}/toy`, `${tag} ${target}`)
    write(`v2.0.0/${X86}/toy`, Buffer.alloc(LARGE, 'large'))
    await aws('s3', 'cp', '--quiet', '--recursive', local, 's3://releases/_releases')
    // As `to_s3` does it, one by one.
    for (const target of [X86, ARM64]) {
      write(`${TAGS[0]}/${target}/toy`, `${TAGS[0]} ${target}`)
      const from = join(local, `${TAGS[0]}/${target}/toy`)
      await aws('s3', 'cp', '--quiet', from, `s3://releases/_releases/${TAGS[0]}/${target}/toy`)
    }
    write(`more/${COMMIT}/${X86}/toy`, 'nightly')
    write(`more/fix/branch/${X86}/toy`, 'a branch')
    write('more/README', 'hello')
    await rclone('copy', join(local, 'more'), 'peer:releases/_releases')
    // What some tools put to show a folder.
    await aws('s3api', 'put-object', '--bucket', 'releases', '--key', '_releases/v0.0.1/')
    old = await listed()
  })
  after(async () => {
    await stop(on)
    folder.remove()
  })

  test('what would be adopted is seen before, and nothing is changed', async () => {
    const plan = JSON.parse(await done('adopt', '--dry-run', '--json')) as {
      adopted: readonly { version: string; publishedAt: string; files: readonly { path: string; size: number }[] }[]
      skipped: readonly { name: string }[]
    }
    assert.deepEqual(
      plan.adopted.map(({ version }) => version),
      [...TAGS, COMMIT].toSorted(),
    )
    const facts = new Map(old.map((object) => [object.Key, object]))
    for (const { publishedAt, files } of plan.adopted) {
      const dates = files.map(({ path }) => Date.parse(facts.get(path)?.LastModified ?? ''))
      assert.equal(Date.parse(publishedAt), Math.floor(Math.min(...dates) / 1000) * 1000)
      for (const { path, size } of files) assert.equal(size, facts.get(path)?.Size, path)
    }
    assert.deepEqual(plan.skipped.map(({ name }) => name).toSorted(), ['_releases/README', 'fix/branch', 'v0.0.1'])
    assert.deepEqual(await listed(), old)
  })

  test('adopted: every version is in page, lists and feeds; what was there is as it was', async () => {
    await done('adopt', '--yes')
    const { releases, pointers, versions } = await index()
    assert.equal(releases.length, TAGS.length + 1)
    assert.ok(releases.every(({ adopted, signed }) => adopted?.digests === 'unknown' && !signed))
    assert.deepEqual([pointers['stable'], versions.at(-1)], ['v2.0.0', 'v2.0.0'])
    const page = await served(KEYS.page)
    for (const tag of [...TAGS, COMMIT]) assert.ok(page.includes(`id="${tag}"`), tag)
    const [stable] = JSON.parse(await served(KEYS.garageList)) as {
      builds: { version: string; builds: Record<string, string>[] }[]
    }[]
    const first = stable?.builds[0]?.builds[0]
    const facts = old.find(({ Key }) => Key === `_releases/v2.0.0/${X86}/toy`)
    assert.deepEqual([first?.['version'], first?.['size']], ['v2.0.0', String(LARGE)])
    assert.equal(
      `${first?.['date']}T${first?.['time']}Z`,
      new Date(facts?.LastModified ?? '').toISOString().replace(/\.\d+Z/, 'Z'),
    )
    const now = new Map((await listed()).map((object) => [object.Key, object]))
    for (const object of old) assert.deepEqual(now.get(object.Key), object)
    assert.match(
      await done('adopt', '--yes'),
      /nothing to adopt; 84 versions with a document, 84 of them without digests \(--digest\); 3 skipped/,
    )
  })

  test('audit: what nothing accounts for is told, in bucket and registry and at the address; else silence', async () => {
    const there = await listed()
    const found = await pitlane(on, 'audit', '--key', PUBLIC_KEY)
    assert.equal(found.status, 1, found.stderr)
    assert.deepEqual(found.stdout.trim().split('\n'), [
      'bucket    _releases/README: is named by no document',
      'bucket    _releases/fix/: holds 1 object and no document: a publication that has begun, or for `pitlane adopt`',
    ])
    assert.deepEqual(await listed(), there)
    await aws('s3', 'rm', '--quiet', '--recursive', 's3://releases/_releases/fix')
    await aws('s3', 'rm', '--quiet', 's3://releases/_releases/README')
    assert.equal(await done('audit'), '')
  })

  test('an upload that nobody has ended is found a day later, by its name below the prefix', async (t) => {
    await aws('s3api', 'create-multipart-upload', '--bucket', 'releases', '--key', 'below/_releases/v9/half')
    const { accessKey: accessKeyId, secretKey: secretAccessKey } = on.s3
    const address = parseS3Address(`s3://releases/below?endpoint=${on.s3.url}&region=${on.s3.region}`)
    const client = s3Client(address, { ca: null, credentials: { accessKeyId, secretAccessKey } })
    t.after(() => client.destroy())
    const seenAfter = (milliseconds: number) =>
      s3Bucket({ address, client, clock: { ...systemClock, now: () => Date.now() + milliseconds } }).abandoned()
    assert.deepEqual(await seenAfter(0), [])
    assert.deepEqual(await seenAfter(25 * 3_600_000), ['_releases/v9/half'])
  })

  test('without digests nothing is verified or installed; then every file is read, and it is', async () => {
    const verify = ['verify', 'v2.0.0', '--from', on.web.url, '--key', PUBLIC_KEY] as const
    const unknown = await pitlane(on, ...verify)
    assert.equal(unknown.status, 3, unknown.stdout)
    assert.match(unknown.stderr, /digests of the files of v2\.0\.0 are unknown/)
    const script = join(folder.path, 'install.sh')
    const install = async () => {
      writeFileSync(script, await served(KEYS.installScript))
      return runProgram('sh', [script, '--dir', join(folder.path, 'bin'), '--target', X86], {
        env: { PATH: process.env['PATH'], HOME: folder.path },
      })
    }
    const refused = await install()
    assert.equal(refused.status, 1)
    assert.match(refused.stderr, /v2\.0\.0 is not installed: the digests of its files are unknown/)
    assert.match(await done('adopt', '--digest', '--yes'), /adopted 84 versions: 167 files/)
    assert.match(await done(...verify), /v2\.0\.0 verifies\n$/)
    const installed = await install()
    assert.equal(installed.status, 0, installed.stderr)
    assert.equal(readFileSync(join(folder.path, 'bin', 'toy')).length, LARGE)
    assert.equal(await done('audit', '--digest'), '')
  })

  test('an adopted version is withdrawn, and Pitlane releases the next one beside it', async () => {
    await done('releases', 'withdraw', 'v2.0.0', '--reason', 'nobody knows who built it')
    assert.equal(await served(KEYS.latest), 'v1.2.0\n')
    assert.equal(await done('audit'), '')
    on.world.git('tag', 'v2.0.0')
    const again = await pitlane(on, 'release', 'v2.0.0')
    assert.equal(again.status, 3, again.stdout)
    assert.match(again.stderr, /RELEASED_OTHERWISE: v2\.0\.0 .* is adopted/)
    on.world.git('tag', 'v2.0.1')
    await done('release', 'v2.0.1')
    assert.equal(await served(KEYS.latest), 'v2.0.1\n')
    assert.equal(await done('audit', '--digest'), '')
  })
}

const registry = distribution()
const lacking = absentPrograms('aws', 'rclone', 'curl')
for (const { name, peer, start } of [
  { name: 'versitygw', peer: versitygw(), start: startVersitygw },
  { name: 'Garage', peer: garage(), start: startGarage },
]) {
  if ('absent' in peer) test(name, { skip: peer.absent }, () => {})
  else if ('absent' in registry) test(name, { skip: registry.absent }, () => {})
  else if (lacking.length > 0) test(name, { skip: `not installed: ${lacking.join(', ')}` }, () => {})
  else describe(name, () => adopting(() => start(peer.program), registry.program))
}
