// How far a publication is, and what it waits for: against a real S3 server and a real registry behind a proxy that slows down, breaks off and refuses.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, type TestContext, test } from 'node:test'
import { staticBinary } from '../../src/artifact/fixtures/elf-builder.ts'
import { parseS3Address } from '../../src/buckets/address.ts'
import { s3Bucket } from '../../src/buckets/s3/bucket.ts'
import { s3Client } from '../../src/buckets/s3/client.ts'
import { CHUNK } from '../../src/bytes/chunks.ts'
import { sha256Of } from '../../src/bytes/digest.ts'
import { openSqlite } from '../../src/database/sqlite.ts'
import { takeOver } from '../../src/database/writer.ts'
import { carryOutByHand } from '../../src/release/by-hand/by-hand-journal.ts'
import type { Operation } from '../../src/release/publication.ts'
import { metering } from '../../src/run/meter.ts'
import type { Progress } from '../../src/run/progress.ts'
import { bodyOf, EXCLUSIVE } from '../contracts/bucket.contract.ts'
import { runProgram } from '../world/program.ts'
import { CONFIGURATION, makeWorld } from '../world/toy.ts'
import { hurried } from './hurried.ts'
import { distribution, startDistribution } from './peers/distribution.ts'
import { type Effect, startFaultProxy } from './peers/fault-proxy.ts'
import { temporaryFolder } from './peers/server.ts'
import { startVersitygw, versitygw } from './peers/versitygw.ts'
import { PITLANE_ARGUMENTS } from './publishing.ts'

type Told = Extract<Progress, { event: 'progress' }>
type Waited = Extract<Progress, { event: 'waiting' }>

const MIB = 1024 * 1024
/** As files come. */
const inChunks = (bytes: Buffer) =>
  Readable.from(
    Array.from({ length: Math.ceil(bytes.length / CHUNK) }, (_, at) => bytes.subarray(at * CHUNK, (at + 1) * CHUNK)),
  )
/** In parts: two whole ones and a rest. */
const LARGE = randomBytes(18 * MIB)
/** In one request. */
const SMALL = randomBytes(5 * MIB)
const PRESENT = randomBytes(3 * MIB)
const IN_TIME = { timeout: 120_000 }
const TARGET = 'x86_64-unknown-linux-musl'
const slowDown: Effect = { answer: { status: 429, headers: { 'retry-after': '2' }, body: '' } }

const peer = versitygw()
if ('absent' in peer) test('versitygw', { skip: peer.absent }, () => {})
else {
  const server = await startVersitygw(peer.program)
  const proxy = await startFaultProxy(server.url)
  after(async () => {
    await proxy.stop()
    await server.stop()
  })
  const { accessKey: accessKeyId, secretKey: secretAccessKey } = server
  let worlds = 0

  /** Puts the three by a journal, of which the last is there. */
  async function published(t: TestContext): Promise<readonly Told[]> {
    worlds += 1
    const name = `progress-${worlds}`
    await server.makeBucket(name)
    const folder = temporaryFolder(name)
    const db = await openSqlite(join(folder.path, 'state.sqlite'))
    const clock = hurried()
    const address = parseS3Address(`s3://${name}?endpoint=${proxy.url}&region=${server.region}`)
    // For such a clock every line is a slow one.
    const pace = { window: 1e9, bytes: 0 }
    const client = s3Client(address, { ca: null, credentials: { accessKeyId, secretAccessKey }, clock, pace })
    t.after(async () => {
      client.destroy()
      await db.destroy()
      folder.remove()
    })
    const bucket = s3Bucket({ address, client, clock })
    await bucket.put('present', bodyOf(PRESENT), EXCLUSIVE)
    const told: Told[] = []
    const report = (progress: Progress) => void (progress.event === 'progress' && told.push(progress))
    const all = { large: LARGE, small: SMALL, present: PRESENT }
    const operations = Object.entries(all).map(
      ([key, bytes]): Operation => ({
        to: 'bucket',
        entry: 'objects',
        key,
        body: { size: bytes.length, sha256: sha256Of(bytes), open: () => inChunks(bytes) },
        options: EXCLUSIVE,
      }),
    )
    const journal = { writer: await takeOver(db), bucket, registry: null, metering: metering({ clock, report }) }
    await carryOutByHand({ ...journal, stop: new AbortController().signal }, name, operations)
    return told
  }

  function requireHonest(told: readonly Told[]): Told {
    let before = 0
    for (const { moved, spared, bytes } of told) {
      assert.equal(bytes, 26 * MIB)
      assert.ok(moved + spared >= before, `${moved + spared} after ${before}`)
      assert.ok(moved + spared <= bytes)
      before = moved + spared
    }
    const last = told.at(-1) ?? assert.fail('nothing was told')
    assert.deepEqual(
      [last.state, last.moved, last.spared, last.complete],
      ['done', 23 * MIB, 3 * MIB, 3],
      'sent is what was not there',
    )
    return last
  }

  /** All that ever went over the line, as the rate of the whole time tells. */
  const flow = ({ rate, elapsed }: Told) => ((rate ?? 0) * elapsed) / 1000

  test('bytes are counted while they go out, in one request and in parts', IN_TIME, async (t) => {
    proxy.play({ method: 'PUT', path: /partNumber=1&/, effect: { pace: { up: 2 * MIB } } })
    const told = await published(t)
    requireHonest(told)
    const within = told.filter(({ moved }) => moved > 0 && moved < 23 * MIB && moved % (8 * MIB) !== 0)
    assert.ok(within.length > 3, 'not only when a part is done')
    // All of it is read at once, and the slow part is on its way for seconds after the rest.
    const slow = told.filter(({ complete }) => complete === 2)
    const sending = slow.filter(({ moved }) => moved < 23 * MIB - MIB / 2)
    assert.ok(sending.length > slow.length / 10, `${sending.length} of ${slow.length}: what was read is not sent`)
    assert.ok(Math.abs(flow(told.at(-1) ?? assert.fail()) - 23 * MIB) < MIB / 4, 'nothing went twice')
  })

  for (const [name, effect] of [
    ['cut in the middle of the body', { reset: 'in request' }],
    ['whose answer is lost', { reset: 'after' }],
    ['that is refused with 429', slowDown],
  ] as const)
    test(`an attempt ${name} is not counted twice`, IN_TIME, async (t) => {
      proxy.play(
        { method: 'PUT', path: /partNumber=2&/, nth: 1, effect },
        { method: 'PUT', path: name === 'whose answer is lost' ? /partNumber=3&/ : /\/small/, nth: 1, effect },
      )
      const last = requireHonest(await published(t))
      if (effect !== slowDown) assert.ok(flow(last) > 23 * MIB + MIB / 2, `${flow(last)} bytes went over the line`)
    })

  /** A toy whose one binary is large, to this bucket. */
  async function toy(t: TestContext, bytes: Buffer, registry: string | null = null) {
    worlds += 1
    const name = `progress-${worlds}`
    await server.makeBucket(name)
    const web = await server.readBucket(name)
    // What reads it may be a proxy of its own.
    const front = await startFaultProxy(web.url)
    const world = makeWorld(
      CONFIGURATION.replace('../bucket', `s3://${name}?endpoint=${proxy.url}&region=${server.region}`)
        .replace('https://releases.example.org', front.url)
        .replace(/targets: \[.*x86.*\]/, `targets: [${TARGET}]`)
        .replace(/targets: \[.*i686.*\]/, `targets: [${TARGET}]`)
        .replace(/ {2}image:[^]*?(?=publish:)/, (image) => (registry === null ? '' : image))
        .replace(/ {2}registry: .*\n/, registry === null ? '' : `  registry: ${registry}\n`),
    )
    const binary = staticBinary(TARGET, bytes, { text: 'hello from toy\n' })
    world.write(`prebuilt/${TARGET}`, binary, 0o755)
    world.commit('A large toy')
    world.git('tag', 'v1.1.0')
    t.after(async () => {
      world.remove()
      await front.stop()
      await web.stop()
    })
    const env = { ...world.env, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey }
    const pitlane = (...args: string[]) =>
      runProgram(process.execPath, [...PITLANE_ARGUMENTS, ...args], { cwd: world.project, env })
    return { world, front, size: binary.length, pitlane }
  }

  test('a release tells programs how far it is and what it waits for', IN_TIME, async (t) => {
    const { front, size, pitlane } = await toy(t, LARGE)
    proxy.play({ method: 'PUT', path: /partNumber=1&/, nth: 1, effect: slowDown })
    front.play(
      { path: /release\.json$/, nth: 1, effect: { answer: { status: 404, body: 'not yet' } } },
      { path: /release\.json$/, nth: 2, effect: { answer: { status: 404, body: 'not yet' } } },
    )
    const { status, stdout, stderr } = await pitlane('release', 'v1.1.0', '--json')
    assert.equal(status, 0, stdout + stderr)
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Progress)
    const objects = events.filter((event): event is Told => event.event === 'progress' && /binaries/.test(event.of))
    const [first, last] = [objects[0], objects.at(-1)]
    assert.ok(first?.state === 'going' && last?.state === 'done', stdout)
    assert.ok(last.moved === last.bytes && last.bytes > size && last.bytes < size + 2000)
    const waits = events.filter((event): event is Waited => event.event === 'waiting')
    assert.deepEqual(
      waits.filter(({ on }) => on === 'server').map(({ state, for: what, duration }) => [state, what, duration]),
      [['started', `${proxy.host}, which asks to slow down`, 2000]],
    )
    const shown = waits.filter(({ on }) => on === 'address')
    assert.deepEqual([shown[0]?.state, shown.at(-1)?.state], ['started', 'done'])
    assert.equal(shown[0]?.for, `${front.url} to show _releases/v1.1.0/release.json`)
    assert.ok((shown.at(-1)?.duration ?? 0) >= 500)
    assert.equal(stderr, '')
  })

  test('a part by hand, and a verification, tell people on a pipe', IN_TIME, async (t) => {
    const { world, front, size, pitlane } = await toy(t, PRESENT)
    proxy.play({ method: 'PUT', path: /\/toy\b(?!\.)/, nth: 1, effect: slowDown })
    const put = await pitlane('publish', 'binary', '--target', TARGET, '--version', 'hand-1', `prebuilt/${TARGET}`)
    assert.equal(put.status, 0, put.stdout + put.stderr)
    const [way, ...lines] = put.stdout.split('\n')
    assert.match(way ?? '', / conditional writes: /)
    const all = `${(size / MIB).toFixed(1)} MiB`
    const title = 'binaries, their checksums and signatures, image blobs'
    assert.equal(lines[0], `waiting 2.0 s for ${proxy.host}, which asks to slow down`)
    assert.match(lines[1] ?? '', new RegExp(`^ {2}sending ${title}: [\\d.]+ (B|KiB|MiB)?.*of ${all} \\(\\d+ %\\)`))
    assert.match(lines[2] ?? '', new RegExp(`^ {2}sent {4}${title}: ${all} in [\\d.]+ s, [\\d.]+ MiB/s$`))
    assert.match(put.stdout, /\nput {6}\S+\/toy /)
    assert.doesNotMatch(lines.slice(3).join('\n'), /sending|sent /)
    assert.equal(put.stderr, '')
    const key = join(world.root, 'key.pub')
    writeFileSync(key, await (await fetch(`${front.url}/_releases/minisign.pub`)).text())
    front.play({ path: /\/toy$/, effect: { pace: { down: MIB } } })
    const verified = await pitlane('verify', 'hand-1', '--from', front.url, '--key', key)
    assert.equal(verified.status, 0, verified.stdout + verified.stderr)
    assert.match(verified.stdout, new RegExp(`^ {2}reading hand-1 to verify it: [\\d.]+ .*of ${all} `))
    assert.match(verified.stdout, new RegExp(`\\n {2}read {4}hand-1 to verify it: ${all} in [\\d.]+ s, .*\\nok `))
  })

  const program = distribution()
  if ('absent' in program) test('an image', { skip: program.absent }, () => {})
  else
    test('an image on its way to a registry is counted and waited for in the same way', IN_TIME, async (t) => {
      const registry = await startDistribution(program.program)
      const front = await startFaultProxy(registry.url)
      t.after(async () => {
        await front.stop()
        await registry.stop()
      })
      const { pitlane } = await toy(t, PRESENT, front.host)
      const blob = { method: 'PUT', path: /blobs\/uploads/ } as const
      front.play({ ...blob, nth: 1, effect: slowDown }, { ...blob, nth: 2, effect: { reset: 'in request' } })
      const push = ['publish', 'image', '--platform', 'linux/amd64', '--version', 'hand-1', `prebuilt/${TARGET}`]
      const { status, stdout, stderr } = await pitlane(...push)
      assert.equal(status, 0, stdout + stderr)
      const title = 'binaries, their checksums and signatures, image blobs'
      const [waiting, sending, ...rest] = stdout.split('\n')
      assert.equal(waiting, `waiting 2.0 s for ${front.host}, which asks to slow down`)
      assert.match(sending ?? '', new RegExp(`^ {2}sending ${title}: .* of 3\\.0 MiB \\(\\d+ %\\)`))
      assert.match(rest.join('\n'), new RegExp(`^ {2}sent {4}${title}: 3\\.0 MiB in .*\\npushed {3}`))
      assert.equal(stderr, '')
    })
}
