import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { folderBucket } from '../buckets/folder/bucket.ts'
import { systemClock } from '../clock.ts'
import { openSqlite } from '../database/sqlite.ts'
import { takeOver } from '../database/writer.ts'
import { renderSite } from '../pages/site.ts'
import { KEYS } from '../plan/keys.ts'
import { makePlan } from '../plan/make-plan.ts'
import type { Plan } from '../plan/plan.ts'
import { findTarget } from '../plan/targets.ts'
import { handMadeFile } from './by-hand.ts'
import { changeState } from './change-state.ts'
import { bodyOf } from './digest.ts'
import { ReleaseDocument } from './document.ts'
import { documentCheck } from './documents.ts'
import { privateKeyOf, rawPublicKey } from './ed25519.ts'
import type { ListParts } from './lists.ts'
import { parsePublicKey } from './public-key.ts'
import { publishBinary } from './publish-binary.ts'
import { documentOperations } from './put-operations.ts'
import { createSigner } from './sign.ts'
import { parseSiteIndex } from './site-index.ts'
import { verifyRelease } from './verify.ts'

const ONE = 'x86_64-unknown-linux-musl'
const OTHER = 'aarch64-unknown-linux-musl'
const DAY = 86_400_000
const BEGIN = Date.UTC(2026, 2, 1)
const never = new AbortController().signal
const seed = Buffer.alloc(32, 7)
const signer = createSigner({ seed, keyId: Buffer.alloc(8, 7), key: rawPublicKey(privateKeyOf(seed)) })
const key = parsePublicKey(signer.publicKey.line, 'test')

const CONFIGURATION = `name: toy
checks: [{ name: unit, run: make check }]
release:
  targets: [${ONE}, ${OTHER}]
  build: { run: make, binary: out/$TARGET/toy }
publish: { bucket: ../bucket }
`

function plan(version: string, commit = 'c'.repeat(40)): Plan {
  const source = {
    commit,
    tree: 'd'.repeat(40),
    tag: version,
    commitTime: BEGIN / 1000,
    subject: 'x',
    tagMessage: null,
  }
  const configuration = { file: 'pitlane.yaml', text: Buffer.from(CONFIGURATION) }
  return makePlan({ source, configuration, changelog: null })
}

async function world(t: TestContext, sign = true) {
  const root = mkdtempSync(join(tmpdir(), 'pitlane-by-hand-'))
  const db = await openSqlite(join(root, 'state.sqlite'))
  t.after(async () => {
    await db.destroy()
    rmSync(root, { recursive: true, force: true })
  })
  let now = BEGIN
  const clock = { ...systemClock, now: () => now }
  const bucket = folderBucket(join(root, 'bucket'), clock)
  const lists: ListParts = {
    bucket,
    place: './bucket',
    registry: null,
    note: () => undefined,
    signer: sign ? signer : null,
    check: sign ? documentCheck(key) : null,
    render: renderSite,
    name: 'toy',
    baseUrl: 'https://releases.example.org',
    clock,
    writer: await takeOver(db),
    exclusively: (work) => work(),
  }
  return {
    lists,
    root,
    at: (time: number) => {
      now = time
    },
    put: (of: Plan, triple: string, text: string) => {
      const bytes = Buffer.from(text)
      const body = bodyOf(bytes)
      const target = findTarget(triple)
      const output = of.stages.flatMap((stage) => stage.outputs).find((candidate) => candidate.target === triple)
      assert.ok(target && output)
      const file = handMadeFile(of, target, output, { size: body.size, sha256: body.sha256, elf: null })
      const about = { tag: null, actor: 'Mira', pitlaneVersion: '0.1.0', isChecked: false }
      const made = { plan: of, file, signer: lists.signer, ...about }
      return publishBinary(lists, never, { made, blake2b512: createHash('blake2b512').update(bytes).digest(), body })
    },
    read: (revision: number) =>
      ReleaseDocument.parse(JSON.parse(readFileSync(join(root, 'bucket', KEYS.document('hand-1', revision)), 'utf8'))),
    verify: (version: string) => verifyRelease({ bucket, registry: null, version, key: sign ? key : null, now }),
  }
}

test('targets join one by one, and the documents stay in order of time though the clock goes back', async (t) => {
  const { put, read, at, verify } = await world(t)
  assert.equal((await put(plan('hand-1'), OTHER, 'two')).state, 'put')
  at(BEGIN - DAY)
  assert.equal((await put(plan('hand-1'), ONE, 'one')).state, 'put')
  assert.equal((await put(plan('hand-1'), ONE, 'one')).state, 'present')
  const [first, second] = [read(1), read(2)]
  assert.equal(second.byHand?.revisedAt, first.byHand?.revisedAt)
  assert.equal(second.publishedAt, first.publishedAt)
  // As the project declares them.
  assert.deepEqual(
    second.files.map(({ target }) => target),
    [ONE, OTHER],
  )
  assert.deepEqual((await verify('hand-1')).problems, [])
})

test('the channel is decided as always', async (t) => {
  const { put } = await world(t)
  for (const [version, channel] of [
    ['hand-1', 'extra'],
    ['v1.2.3', 'stable'],
  ] as const)
    assert.equal((await put(plan(version), ONE, 'one')).document.channel, channel)
})

test('an object that is lost is put again, with the lists as they are', async (t) => {
  const { put, root, verify } = await world(t)
  await put(plan('hand-1'), ONE, 'one')
  rmSync(join(root, 'bucket', `${KEYS.binary('hand-1', ONE, 'toy')}.minisig`))
  assert.equal((await put(plan('hand-1'), ONE, 'one')).state, 'present')
  assert.deepEqual((await verify('hand-1')).problems, [])
})

test('without signatures the chain holds by its digests', async (t) => {
  const { put, verify, root } = await world(t, false)
  await put(plan('hand-1'), ONE, 'one')
  await put(plan('hand-1'), OTHER, 'two')
  assert.deepEqual((await verify('hand-1')).problems, [])
  assert.ok(!existsSync(join(root, 'bucket', `${KEYS.document('hand-1')}.minisig`)))
})

test('a release is not extended; what it has is there, and other bytes are refused', async (t) => {
  const { put, lists, root } = await world(t)
  await put(plan('hand-1'), ONE, 'one')
  const released = { ...plan('v1.0.0'), version: 'v1.0.0' }
  await put(released, ONE, 'one')
  // The same without what says that it was made by hand: as `pitlane release` would leave it.
  const path = join(root, 'bucket', KEYS.document('v1.0.0'))
  const { byHand: _, ...document } = ReleaseDocument.parse(JSON.parse(readFileSync(path, 'utf8')))
  for (const operation of documentOperations(document, signer)) {
    assert.equal(operation.to, 'bucket')
    if (operation.to === 'bucket')
      await lists.bucket.put(operation.key, operation.body, { ...operation.options, exclusive: false })
  }
  assert.equal((await put(released, ONE, 'one')).state, 'present')
  await assert.rejects(put(released, ONE, 'other'), { code: 'CONTRADICTION' })
  await assert.rejects(put(released, OTHER, 'two'), { code: 'RELEASED_OTHERWISE' })
  assert.ok(!existsSync(join(root, 'bucket', KEYS.binary('v1.0.0', OTHER, 'toy'))))
})

test('withdrawn it is both, by hand and withdrawn; nothing joins it until it is put back', async (t) => {
  const { put, lists, root, verify } = await world(t)
  await put(plan('v1.0.0'), ONE, 'one')
  await put(plan('v1.0.0'), OTHER, 'two')
  await put(plan('v1.1.0'), ONE, 'one')
  const index = () => parseSiteIndex(readFileSync(join(root, 'bucket', KEYS.index)), KEYS.index)
  const change = (version: string, state: 'withdrawn' | 'published') => {
    const asked = { version, state, reason: 'it is no good', supersededBy: null, amend: false, actor: 'Mira' }
    return changeState(lists, () => asked, null, never)
  }
  // What lacks targets holds no pointer, neither before nor after.
  await change('v1.1.0', 'withdrawn')
  const entry = index().releases.find(({ version }) => version === 'v1.1.0')
  assert.deepEqual([entry?.withdrawn, entry?.byHand?.missing, entry?.state?.revision], [true, [OTHER], 1])
  assert.deepEqual(index().pointers, { stable: 'v1.0.0' })
  await assert.rejects(put(plan('v1.1.0'), OTHER, 'two'), { code: 'WITHDRAWN' })
  assert.ok(!existsSync(join(root, 'bucket', KEYS.binary('v1.1.0', OTHER, 'toy'))))
  const found = await verify('v1.1.0')
  assert.deepEqual([found.problems, found.state?.state, found.remarks.length], [[], 'withdrawn', 3])

  await change('v1.0.0', 'withdrawn')
  assert.deepEqual([index().pointers, index().versions], [{}, []])
  assert.equal(readFileSync(join(root, 'bucket', KEYS.latest), 'utf8'), '')
  await change('v1.1.0', 'published')
  assert.equal((await put(plan('v1.1.0'), OTHER, 'two')).document.byHand?.revision, 2)
  assert.deepEqual(index().pointers, { stable: 'v1.1.0' })
  for (const version of ['v1.0.0', 'v1.1.0']) assert.deepEqual((await verify(version)).problems, [])
})

test('another commit, and a binary that nobody names yet, with other bytes', async (t) => {
  const { put, root, lists } = await world(t)
  await put(plan('hand-1'), ONE, 'one')
  await assert.rejects(put(plan('hand-1', 'e'.repeat(40)), OTHER, 'two'), { code: 'CONTRADICTION' })
  assert.ok(!existsSync(join(root, 'bucket', KEYS.binary('hand-1', OTHER, 'toy'))))
  const plain = { contentType: 'x', cacheControl: 'x', exclusive: true }
  await lists.bucket.put(KEYS.binary('hand-1', OTHER, 'toy'), bodyOf(Buffer.from('left over')), plain)
  await assert.rejects(put(plan('hand-1'), OTHER, 'two'), { code: 'CONTRADICTION', message: /there: {2}[0-9a-f]{64}/ })
})
