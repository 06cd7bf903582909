import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { test } from 'node:test'
import { BEGIN, handMadeSite, ONE, OTHER, plan, signer } from '../../../test/world/hand-made-site.ts'
import type { Bucket } from '../../buckets/types.ts'
import { finishOperations, readOperations, replaceOperations } from '../../database/queries/publications.ts'
import type { PitlaneError } from '../../errors.ts'
import { KEYS } from '../../plan/keys.ts'
import { bodyOf } from '../digest.ts'
import { BuiltDocument } from '../document.ts'
import { documentOperations } from '../put-operations.ts'

const DAY = 86_400_000

test('targets join one by one, and the documents stay in order of time though the clock goes back', async (t) => {
  const { put, read, at, verify } = await handMadeSite(t)
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

test('two people put other bytes under one name, in a store that keeps nobody from it', async (t) => {
  const [here, elsewhere] = [await handMadeSite(t), await handMadeSite(t)]
  const { bucket } = here.lists
  // It looks, and writes later whatever has come meanwhile; the lease is what it has.
  const unconditional: Bucket['put'] = async (key, body, options) => {
    const there = await bucket.open(key)
    there?.destroy()
    for (let turns = 0; turns < 50; turns += 1) await turn()
    return bucket.put(key, body, { ...options, exclusive: options.exclusive && there !== null })
  }
  let last: Promise<unknown> = Promise.resolve()
  const shared = {
    bucket: new Proxy(bucket, {
      get: (_, name: keyof Bucket) => {
        const own = bucket[name]
        return name === 'put' ? unconditional : typeof own === 'function' ? own.bind(bucket) : own
      },
    }),
    exclusively: (work: () => Promise<unknown>) => {
      const turned = last.then(work)
      last = turned.catch(() => undefined)
      return turned
    },
  }
  for (const { lists } of [here, elsewhere]) Object.assign(lists, shared)
  const results = await Promise.allSettled([
    here.put(plan('hand-1'), ONE, 'one'),
    elsewhere.put(plan('hand-1'), ONE, 'other'),
  ])
  // Whoever has the lease first.
  const winner = results.findIndex(({ status }) => status === 'fulfilled')
  const loser = results[1 - winner]
  assert.ok(winner !== -1 && loser?.status === 'rejected')
  assert.equal((loser.reason as PitlaneError).code, 'CONTRADICTION')
  const { bucket: published } = here.lists
  assert.equal(String(await published.read(KEYS.binary('hand-1', ONE, 'toy'), 100)), ['one', 'other'][winner])
  assert.deepEqual((await here.verify('hand-1')).problems, [])
})

test('the channel is decided as always', async (t) => {
  const { put } = await handMadeSite(t)
  for (const [version, channel] of [
    ['hand-1', 'extra'],
    ['v1.2.3', 'stable'],
  ] as const)
    assert.equal((await put(plan(version), ONE, 'one')).document.channel, channel)
})

test('an object that is lost is put again, with the lists as they are', async (t) => {
  const { put, root, verify } = await handMadeSite(t)
  await put(plan('hand-1'), ONE, 'one')
  rmSync(join(root, 'bucket', `${KEYS.binary('hand-1', ONE, 'toy')}.minisig`))
  assert.equal((await put(plan('hand-1'), ONE, 'one')).state, 'present')
  assert.deepEqual((await verify('hand-1')).problems, [])
})

test('without signatures the chain holds by its digests', async (t) => {
  const { put, verify, root } = await handMadeSite(t, false)
  await put(plan('hand-1'), ONE, 'one')
  await put(plan('hand-1'), OTHER, 'two')
  assert.deepEqual((await verify('hand-1')).problems, [])
  assert.ok(!existsSync(join(root, 'bucket', `${KEYS.document('hand-1')}.minisig`)))
})

test('a release is not extended; what it has is there, and other bytes are refused', async (t) => {
  const { put, lists, root } = await handMadeSite(t)
  await put(plan('hand-1'), ONE, 'one')
  const released = { ...plan('v1.0.0'), version: 'v1.0.0' }
  await put(released, ONE, 'one')
  // The same without what says that it was made by hand: as `pitlane release` would leave it.
  const path = join(root, 'bucket', KEYS.document('v1.0.0'))
  const { byHand: _, ...document } = BuiltDocument.parse(JSON.parse(readFileSync(path, 'utf8')))
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
  const { put, root, verify, change, index } = await handMadeSite(t)
  await put(plan('v1.0.0'), ONE, 'one')
  await put(plan('v1.0.0'), OTHER, 'two')
  await put(plan('v1.1.0'), ONE, 'one')
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
  const { put, root, lists } = await handMadeSite(t)
  await put(plan('hand-1'), ONE, 'one')
  await assert.rejects(put(plan('hand-1', 'e'.repeat(40)), OTHER, 'two'), { code: 'CONTRADICTION' })
  assert.ok(!existsSync(join(root, 'bucket', KEYS.binary('hand-1', OTHER, 'toy'))))
  const plain = { contentType: 'x', cacheControl: 'x', exclusive: true }
  await lists.bucket.put(KEYS.binary('hand-1', OTHER, 'toy'), bodyOf(Buffer.from('left over')), plain)
  await assert.rejects(put(plan('hand-1'), OTHER, 'two'), { code: 'CONTRADICTION', message: /there: {2}[0-9a-f]{64}/ })
})

test('what is complete leaves no rows; what died before it could remove them leaves them to the next', async (t) => {
  const site = await handMadeSite(t)
  const rows = async () => {
    const found = await site.lists.writer.db.selectFrom('operations').select('version').distinct().execute()
    return found.map(({ version }) => version).filter((version) => version.startsWith('(by hand)'))
  }
  await site.put(plan('hand-1'), ONE, 'one')
  assert.deepEqual(await rows(), [])
  const leave = (version: string, state: 'done' | 'started') =>
    site.lists.writer.write(async (trx) => {
      const row = {
        position: 0,
        entry: 'objects',
        kind: 'put-if-absent',
        destination: 'x',
        sha256: '',
        size: 1,
      } as const
      await replaceOperations(trx, version, 'objects', [row])
      if (state === 'done') await finishOperations(trx, version, [0])
    })
  await leave('(by hand) done', 'done')
  await leave('(by hand) begun', 'started')
  await leave('v1.0.0', 'done')
  await site.put(plan('hand-1'), OTHER, 'other')
  assert.deepEqual(await rows(), ['(by hand) begun'])
  assert.equal((await readOperations(site.lists.writer.db, 'v1.0.0', 'objects')).length, 1)
})
