/** What every bucket has to do, whatever is behind it. Each test gets an empty bucket of its own. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import type { Body, Bucket, PutOptions } from '../../src/buckets/types.ts'
import { PitlaneError } from '../../src/errors.ts'

export const REPLACE: PutOptions = { contentType: 'text/plain', cacheControl: 'no-cache', exclusive: false }
export const EXCLUSIVE: PutOptions = { ...REPLACE, exclusive: true }

export function sha256(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}

export function bodyOf(content: Buffer | string): Body {
  const bytes = Buffer.from(content)
  return { size: bytes.length, sha256: sha256(bytes), open: () => Readable.from([bytes], { objectMode: false }) }
}

export async function keysOf(bucket: Bucket, prefix = ''): Promise<string[]> {
  const keys: string[] = []
  for await (const object of bucket.list(prefix)) keys.push(object.key)
  return keys
}

export function refusedWith(code: string, ...parts: string[]): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof PitlaneError, String(error))
    assert.equal(error.code, code, error.message)
    for (const part of parts) assert.ok(error.message.includes(part), `${error.message} does not say ${part}`)
    return true
  }
}

/**
 * @param exclusive whether the store itself refuses a second writer; else only whoever holds the lease may rely on `exclusive`
 * @param make every call with the same test gives the same bucket, as another process would open it
 */
export function bucketContract(name: string, make: (t: TestContext) => Promise<Bucket>, exclusive = true): void {
  const check = (what: string, body: (bucket: Bucket, t: TestContext) => Promise<void>) =>
    test(`${name}: ${what}`, async (t) => body(await make(t), t))

  check('an object is absent, then there, then absent', async (bucket) => {
    assert.equal(await bucket.head('a/b.txt'), null)
    assert.equal(await bucket.read('a/b.txt', 100), null)
    assert.equal(await bucket.open('a/b.txt'), null)
    assert.deepEqual(await keysOf(bucket), [])
    assert.equal(await bucket.put('a/b.txt', bodyOf('hello'), REPLACE), 'written')
    assert.deepEqual(await bucket.head('a/b.txt'), { key: 'a/b.txt', size: 5 })
    assert.equal(String(await bucket.read('a/b.txt', 100)), 'hello')
    const stream = await bucket.open('a/b.txt')
    assert.equal(String(await buffer(stream ?? Readable.from([]))), 'hello')
    await bucket.delete('a/b.txt')
    await bucket.delete('a/b.txt')
    assert.equal(await bucket.head('a/b.txt'), null)
    assert.deepEqual(await keysOf(bucket), [])
  })

  check('what lies in folders is found by its name, and a stamp says when it has become another', async (bucket) => {
    const under = async () => bucket.contents('r/', (object) => object === 'd.json')
    assert.deepEqual([...(await under())], [])
    for (const key of [
      'r/one/d.json',
      'r/one/d.json.sig',
      'r/one/deep/d.json',
      'r/two-1/other',
      'r/two/d.json',
      'r/d.json',
      'd.json',
    ])
      await bucket.put(key, bodyOf('first'), REPLACE)
    const first = await under()
    const found = (contents: typeof first) =>
      [...contents].map(([folder, objects]) => [folder, ...objects.map((object) => object.name)].join(' ')).toSorted()
    const expected = ['one d.json', 'two d.json', 'two-1']
    assert.deepEqual(found(first), expected)
    const stamp = (contents: typeof first, folder: string) => contents.get(folder)?.[0]?.stamp ?? null
    await bucket.put('r/one/d.json', bodyOf('other'), REPLACE)
    const second = await under()
    assert.deepEqual(found(second), expected)
    assert.equal(stamp(second, 'two'), stamp(first, 'two'))
    // A bucket that has none for what was written just now has to be read.
    if (stamp(first, 'one') !== null) assert.notEqual(stamp(second, 'one'), stamp(first, 'one'))
  })

  check('whether it can be written is found out without leaving anything', async (bucket) => {
    await bucket.requireWritable()
    assert.deepEqual(await keysOf(bucket), [])
    await bucket.put('k', bodyOf('one'), REPLACE)
    await bucket.requireWritable()
    assert.deepEqual(await keysOf(bucket), ['k'])
  })

  check('a folder of keys is not an object', async (bucket) => {
    await bucket.put('a/b', bodyOf('1'), REPLACE)
    assert.equal(await bucket.head('a'), null)
    assert.equal(await bucket.read('a', 100), null)
    assert.equal(await bucket.open('a'), null)
    assert.equal(await bucket.head('a/b/c'), null)
    await bucket.delete('a')
    await bucket.delete('a/b/c')
    assert.deepEqual(await keysOf(bucket), ['a/b'])
  })

  check('replacing: other bytes are written, the same bytes are present', async (bucket) => {
    assert.equal(await bucket.put('k', bodyOf('one'), REPLACE), 'written')
    assert.equal(await bucket.put('k', bodyOf('one'), REPLACE), 'present')
    assert.equal(await bucket.put('k', bodyOf('two'), REPLACE), 'written')
    assert.equal(await bucket.put('k', bodyOf('longer'), REPLACE), 'written')
    assert.equal(String(await bucket.read('k', 100)), 'longer')
  })

  check(
    'exclusive: the same bytes are present, other bytes are a contradiction naming both digests',
    async (bucket) => {
      assert.equal(await bucket.put('k', bodyOf('one'), EXCLUSIVE), 'written')
      assert.equal(await bucket.put('k', bodyOf('one'), EXCLUSIVE), 'present')
      for (const other of ['two', 'longer'])
        await assert.rejects(
          bucket.put('k', bodyOf(other), EXCLUSIVE),
          refusedWith('CONTRADICTION', sha256('one'), sha256(other)),
        )
      assert.equal(String(await bucket.read('k', 100)), 'one')
    },
  )

  if (exclusive)
    check('of two exclusive puts with different bytes at once, exactly one wins', async (bucket) => {
      for (let round = 0; round < 10; round += 1) {
        const key = `race/${round}`
        const bodies = ['first', 'second'].map((word) => bodyOf(`${word} ${round}`.repeat(1000)))
        const results = await Promise.allSettled(bodies.map((body) => bucket.put(key, body, EXCLUSIVE)))
        const won = results.findIndex((result) => result.status === 'fulfilled')
        assert.equal(results.filter((result) => result.status === 'fulfilled').length, 1)
        const lost = results[1 - won]
        assert.ok(lost?.status === 'rejected')
        refusedWith('CONTRADICTION', bodies[0]?.sha256 ?? '', bodies[1]?.sha256 ?? '')(lost.reason)
        assert.equal(sha256((await bucket.read(key, 1e6)) ?? ''), bodies[won]?.sha256)
      }
    })

  check('a body unlike what was announced is refused, and nothing changes', async (bucket) => {
    const honest = bodyOf('the announced bytes')
    for (const bytes of ['short', 'the announced bytes and more', 'the announced BYTES'])
      await assert.rejects(
        bucket.put('k', { ...honest, open: () => Readable.from([Buffer.from(bytes)]) }, REPLACE),
        refusedWith('STORAGE_FAILED', String(honest.size), honest.sha256),
      )
    const broken = new Error('the source went away')
    const failing = () =>
      new Readable({
        read() {
          this.destroy(broken)
        },
      })
    await assert.rejects(bucket.put('k', { ...honest, open: failing }, REPLACE), refusedWith('STORAGE_FAILED'))
    assert.equal(await bucket.head('k'), null)
    assert.deepEqual(await keysOf(bucket), [])
  })

  check('each attempt has a fresh body', async (bucket) => {
    const body = bodyOf('fresh')
    assert.equal(await bucket.put('a', body, REPLACE), 'written')
    assert.equal(await bucket.put('b', body, EXCLUSIVE), 'written')
    assert.equal(String(await bucket.read('b', 5)), 'fresh')
  })

  check('an empty object, and one larger than any buffer', async (bucket) => {
    await bucket.put('empty', bodyOf(''), EXCLUSIVE)
    assert.deepEqual(await bucket.read('empty', 0), Buffer.alloc(0))
    const large = Buffer.alloc(3 * 1024 * 1024 + 7, 'abcdefg')
    await bucket.put('large', bodyOf(large), EXCLUSIVE)
    const stream = await bucket.open('large')
    assert.equal(sha256(await buffer(stream ?? Readable.from([]))), sha256(large))
    assert.deepEqual(await bucket.head('large'), { key: 'large', size: large.length })
  })

  check('a read has a limit', async (bucket) => {
    await bucket.put('k', bodyOf('12345'), REPLACE)
    assert.equal(String(await bucket.read('k', 5)), '12345')
    await assert.rejects(bucket.read('k', 4), refusedWith('STORAGE_FAILED', 'k', '4'))
  })

  check('lists by prefix in the order of the keys as bytes', async (bucket) => {
    const keys = ['a', 'b', 'ab/c', 'ab-c', 'ab.c', 'ab0', 'ab/d/e', 'é', 'z', 'ab/d-', '😀', '\uff5e', 'B']
    for (const key of keys) await bucket.put(key, bodyOf(key), REPLACE)
    const sorted = keys.toSorted((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)))
    assert.deepEqual(await keysOf(bucket), sorted)
    for (const prefix of ['a', 'ab', 'ab/', 'ab/d', 'ab/d/', 'ab/d/e', 'x', 'x/y', 'a/', '\uff5e', '.'])
      assert.deepEqual(
        await keysOf(bucket, prefix),
        sorted.filter((key) => key.startsWith(prefix)),
        `prefix ${prefix}`,
      )
    for await (const object of bucket.list('')) {
      assert.equal(object.size, Buffer.byteLength(object.key))
      // Written just now, by whatever clock the store has.
      assert.ok(Math.abs(object.modifiedAt - Date.now()) < 86_400_000, String(object.modifiedAt))
    }
    assert.deepEqual(await bucket.abandoned(), [])
  })

  check('keys that are paths to elsewhere are refused', async (bucket) => {
    const bad = [
      '',
      '/',
      '/etc/passwd',
      'a/',
      'a//b',
      '.',
      '..',
      '../a',
      'a/../b',
      'a/.',
      './a',
      'a\\b',
      'a\0b',
      'a\nb',
    ]
    for (const key of [...bad, 'x'.repeat(1025)]) {
      await assert.rejects(bucket.put(key, bodyOf('x'), REPLACE), refusedWith('STORAGE_FAILED'), key)
      await assert.rejects(bucket.head(key), refusedWith('STORAGE_FAILED'), key)
      await assert.rejects(bucket.read(key, 1), refusedWith('STORAGE_FAILED'), key)
      await assert.rejects(bucket.open(key), refusedWith('STORAGE_FAILED'), key)
      await assert.rejects(bucket.delete(key), refusedWith('STORAGE_FAILED'), key)
    }
    for (const prefix of ['../', '/', 'a/../b'])
      await assert.rejects(keysOf(bucket, prefix), refusedWith('STORAGE_FAILED'))
    assert.deepEqual(await keysOf(bucket), [])
  })

  check('a reader during replacements sees whole objects only', async (bucket) => {
    const bodies = [1, 2, 3].map((n) => Buffer.alloc(200_000 * n, String(n)))
    const digests = new Set(bodies.map((bytes) => sha256(bytes)))
    await bucket.put('page', bodyOf(bodies[0] ?? ''), REPLACE)
    const written = new AbortController()
    const reads = (async () => {
      do {
        const bytes = await bucket.read('page', 1e6)
        assert.ok(bytes !== null && digests.has(sha256(bytes)), 'a partial or absent object was seen')
        const stream = await bucket.open('page')
        assert.ok(stream !== null && digests.has(sha256(await buffer(stream))), 'a partial stream was seen')
      } while (!written.signal.aborted)
    })()
    for (let round = 0; round < 30; round += 1) await bucket.put('page', bodyOf(bodies[round % 3] ?? ''), REPLACE)
    written.abort()
    await reads
  })

  check('many keys under one folder, written and deleted at once', async (bucket) => {
    const keys = Array.from({ length: 20 }, (_, n) => `deep/er/${n}/file`)
    for (let round = 0; round < 3; round += 1) {
      await Promise.all(keys.map((key) => bucket.put(key, bodyOf(key), EXCLUSIVE)))
      assert.equal((await keysOf(bucket, 'deep/')).length, keys.length + round)
      await Promise.all([
        ...keys.map((key) => bucket.delete(key)),
        bucket.put(`kept/${round}`, bodyOf('kept'), EXCLUSIVE),
        bucket.put(`deep/er/kept-${round}`, bodyOf('kept'), REPLACE),
      ])
      assert.deepEqual(
        await keysOf(bucket, 'deep/er/kept-'),
        Array.from({ length: round + 1 }, (_, n) => `deep/er/kept-${n}`),
      )
    }
  })

  check('the names directly below a prefix', async (bucket) => {
    assert.deepEqual(await bucket.folders('a/'), [])
    for (const key of ['a/c/x', 'a/b/x', 'a/b/y/z', 'a/é/x', 'a/plain', 'ab/d/x', 'e'])
      await bucket.put(key, bodyOf(key), EXCLUSIVE)
    assert.deepEqual(await bucket.folders('a/'), ['b', 'c', 'é'])
    assert.deepEqual(await bucket.folders('a/b/'), ['y'])
    await assert.rejects(bucket.folders('../'), { code: 'STORAGE_FAILED' })
  })

  check('of two that write the same key under the lease, exactly one wins', async (bucket) => {
    const request = { wait: 60_000, onWait: () => {}, onUnsupported: assert.fail, signal: new AbortController().signal }
    const results = await Promise.allSettled(
      ['first', 'second'].map(async (word) => {
        const lease = await bucket.lease(request)
        try {
          return await bucket.put('race', bodyOf(word), EXCLUSIVE)
        } finally {
          await lease.release()
        }
      }),
    )
    assert.deepEqual(results.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
  })

  check('one publisher at a time: the next one waits, or is told to', async (bucket) => {
    const waits: string[] = []
    const request = (wait: number, signal = new AbortController().signal) => ({
      wait,
      signal,
      onWait: (holder: string) => waits.push(holder),
      onUnsupported: (reason: string) => assert.fail(reason),
    })
    const first = await bucket.lease(request(0))
    assert.deepEqual(await keysOf(bucket), [])
    await assert.rejects(bucket.lease(request(0)), { code: 'BUSY' })
    assert.deepEqual(waits, [])
    const over = new AbortController()
    const given = bucket.lease(request(60_000, over.signal))
    over.abort()
    await assert.rejects(given, { code: 'INTERRUPTED' })
    waits.length = 0
    const order: string[] = []
    const second = bucket.lease(request(60_000)).then((lease) => {
      order.push('second')
      return lease
    })
    while (waits.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    order.push('first ends')
    await first.release()
    await (await second).release()
    assert.deepEqual(order, ['first ends', 'second'])
    assert.equal(waits.length, 1)
    await (await bucket.lease(request(0))).release()
  })
}
