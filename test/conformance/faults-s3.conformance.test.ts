// The S3 bucket against a real server behind a proxy that fails in every way that is known of.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { after, type TestContext, test } from 'node:test'
import { inspect } from 'node:util'
import {
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { parseS3Address } from '../../src/buckets/address.ts'
import { s3Bucket } from '../../src/buckets/s3/bucket.ts'
import { s3Client } from '../../src/buckets/s3/client.ts'

import { PitlaneError } from '../../src/errors.ts'
import { bodyOf, EXCLUSIVE, keysOf, REPLACE } from '../contracts/bucket.contract.ts'
import { holdsNone, hurried, said } from './hurried.ts'
import { type Effect, startFaultProxy } from './peers/fault-proxy.ts'
import { startVersitygw, versitygw } from './peers/versitygw.ts'

const MIB = 1024 * 1024
/** Sent in parts: two whole ones and a rest. */
const LARGE = randomBytes(17 * MIB)
const SMALL = randomBytes(300_000)
const IN_TIME = { timeout: 60_000 }

const xml = (code: string, message = 'a test says so') =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`
const refused = (status: number, code: string, headers = {}): Effect => ({
  answer: { status, headers: { 'content-type': 'application/xml', ...headers }, body: xml(code) },
})

/** What passes when the same request is sent again. */
const PASSING: readonly (readonly [name: string, effect: Effect])[] = [
  ['500', refused(500, 'InternalError')],
  ['502 from a proxy that speaks HTML', { answer: { status: 502, body: '<html>Bad Gateway</html>' } }],
  ['503 SlowDown', refused(503, 'SlowDown')],
  ['429 with Retry-After', refused(429, 'TooManyRequests', { 'retry-after': '2' })],
  ['400 RequestTimeout', refused(400, 'RequestTimeout')],
  ['403 RequestTimeTooSkewed', refused(403, 'RequestTimeTooSkewed')],
  ['a 500 after the server acted', { ...(refused(500, 'InternalError') as { answer: { status: 500 } }), acted: true }],
  ['a reset before the server acted', { reset: 'before' }],
  ['a reset after the server acted', { reset: 'after' }],
  ['a reset in the middle of the answer', { reset: 'in answer' }],
]
const PASSING_WITH_BODY: typeof PASSING = [...PASSING, ['a reset in the middle of the body', { reset: 'in request' }]]

interface WorldOptions {
  readonly secret?: string
  readonly region?: string
  readonly bucket?: string
  /** Bytes: larger objects go in parts. */
  readonly threshold?: number
}

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
  let buckets = 0

  const world = async (t: TestContext, options: WorldOptions = {}) => {
    buckets += 1
    const name = `faults-${buckets}`
    await server.makeBucket(name)
    proxy.play()
    const { secret = secretAccessKey, region = server.region } = options
    const addressAt = (endpoint: string, bucket = name) =>
      parseS3Address(`s3://${bucket}/p?endpoint=${endpoint}&region=${region}`)
    const clock = hurried()
    const waits: number[] = []
    /** When each was told: what it holds up waits from then on. */
    const toldAt: number[] = []
    const client = s3Client(addressAt(proxy.url), {
      ca: null,
      credentials: { accessKeyId, secretAccessKey: secret },
      clock,
      onWait: (_, wait) => {
        waits.push(wait)
        toldAt.push(performance.now())
      },
      pace: { window: 50_000, bytes: 1000 },
    })
    const direct = s3Client(parseS3Address(`s3://${name}?endpoint=${server.url}&region=${server.region}`), {
      ca: null,
      credentials: { accessKeyId, secretAccessKey },
    })
    t.after(() => {
      client.destroy()
      direct.destroy()
    })
    const address = addressAt(proxy.url, options.bucket)
    const bucket = s3Bucket({ address, client, clock, threshold: options.threshold ?? MIB })
    proxy.seen()
    return { name, bucket, clock, waits, toldAt, direct: there(direct, name) }
  }

  /** With what is asked for once already asked. */
  const warm = async (t: TestContext) => {
    const made = await world(t)
    await made.bucket.put('warm', bodyOf('warm'), EXCLUSIVE)
    proxy.seen()
    return made
  }

  for (const [name, effect] of PASSING_WITH_BODY) {
    test(`put: ${name}`, IN_TIME, async (t) => {
      for (const options of [EXCLUSIVE, REPLACE]) {
        const { bucket, direct } = await warm(t)
        proxy.play({ method: 'PUT', nth: 1, effect })
        await bucket.put('k', bodyOf(SMALL), options)
        assert.deepEqual(await direct.get('p/k'), SMALL)
        const puts = proxy.seen().filter(({ method }) => method === 'PUT')
        // A server that refuses before it has read the body may reset the connection, too.
        // What was put without an answer that came is found to be there.
        const least = options.exclusive && /after the|of the answer/.test(name) ? 1 : 2
        assert.ok(puts.length >= least && puts.length <= 4, `${puts.length} attempts`)
        // Each with the whole body, whatever became of the first.
        for (const put of puts) assert.equal(put.headers['content-length'], String(SMALL.length))
      }
    })
    test(`put in parts: ${name}`, IN_TIME, async (t) => {
      for (const fault of [
        { method: 'POST', path: /\?uploads/, nth: 1 },
        { method: 'PUT', path: /partNumber=2/, nth: 1 },
        { method: 'POST', path: /\?uploadId=/, nth: 1 },
      ]) {
        const { bucket, direct } = await warm(t)
        proxy.play({ ...fault, effect })
        await bucket.put('k', bodyOf(LARGE), EXCLUSIVE)
        assert.ok((await direct.get('p/k'))?.equals(LARGE), String(fault.path))
        assert.deepEqual(await direct.uploads(), [], String(fault.path))
      }
    })
  }

  // This server refuses a taken key before it reads the body, and then resets the connection.
  test('an object that was put and whose answer got lost is there, however large it is', IN_TIME, async (t) => {
    const bytes = randomBytes(5 * MIB)
    const atOnce = async () => {
      const made = await world(t, { threshold: 16 * MIB })
      await made.bucket.put('warm', bodyOf('warm'), EXCLUSIVE)
      return made
    }
    for (const effect of [
      { reset: 'after' },
      { ...(refused(500, 'InternalError') as { answer: { status: 500 } }), acted: true },
    ] satisfies Effect[]) {
      const { bucket, direct } = await atOnce()
      proxy.play({ method: 'PUT', nth: 1, effect })
      await bucket.put('k', bodyOf(bytes), EXCLUSIVE)
      assert.ok((await direct.get('p/k'))?.equals(bytes))
    }
    // Somebody else was there between the look and the write.
    const { bucket, direct } = await atOnce()
    await direct.put('p/k', 'other')
    proxy.play({ method: 'HEAD', nth: 1, effect: { answer: { status: 404 } } })
    await told(bucket.put('k', bodyOf(bytes), EXCLUSIVE), 'CONTRADICTION', /refusing to replace/)
    assert.equal((await direct.get('p/k'))?.toString(), 'other')
  })

  test('a body that comes to the server shortened is never an object', IN_TIME, async (t) => {
    const { bucket, direct } = await warm(t)
    for (const [path, bytes] of [
      [/k/, SMALL],
      [/partNumber=2/, LARGE],
    ] as const) {
      proxy.play({ method: 'PUT', path, effect: { shorten: true } })
      await told(bucket.put('k', bodyOf(bytes), EXCLUSIVE), 'STORAGE_FAILED')
      assert.equal(await direct.get('p/k'), null)
      assert.deepEqual(await direct.uploads(), [])
      proxy.play()
      await bucket.put('k', bodyOf(bytes), EXCLUSIVE)
      assert.ok((await direct.get('p/k'))?.equals(bytes))
      await bucket.delete('k')
    }
  })

  for (const [name, effect] of PASSING) {
    test(`reading, listing, looking, deleting: ${name}`, IN_TIME, async (t) => {
      const { bucket, direct } = await warm(t)
      await bucket.put('a/b', bodyOf(SMALL), EXCLUSIVE)
      const once = (method: string) => proxy.play({ method, nth: 1, effect })
      once('GET')
      assert.deepEqual(await bucket.read('a/b', MIB), SMALL)
      once('GET')
      assert.deepEqual(await keysOf(bucket), ['a/b', 'warm'])
      once('GET')
      assert.deepEqual(await bucket.folders('a/'), [])
      // A refusal without a body stands; its reason is asked for.
      if (!/^40[03]/.test(name)) once('HEAD')
      assert.deepEqual(await bucket.head('a/b'), { key: 'a/b', size: SMALL.length })
      once('DELETE')
      await bucket.delete('a/b')
      assert.equal(await direct.get('p/a/b'), null)
    })
    test(`finding out whether conditions are honoured: ${name}`, IN_TIME, async (t) => {
      for (const nth of [1, 2, 3]) {
        const { bucket, direct } = await world(t)
        proxy.play({ method: 'PUT', path: /probe/, nth, effect })
        await bucket.put('k', bodyOf(SMALL), EXCLUSIVE)
        const put = proxy.seen().find(({ method, url }) => method === 'PUT' && url.includes('/k'))
        assert.equal(put?.headers['if-none-match'], '*', `probe ${nth}`)
        assert.deepEqual(await direct.keys(), ['p/k'])
      }
    })
  }

  test('an object that breaks off while it streams is an error, never a shorter object', IN_TIME, async (t) => {
    const { bucket } = await warm(t)
    await bucket.put('k', bodyOf(SMALL), EXCLUSIVE)
    for (const effect of [
      { reset: 'in answer' },
      { pace: { down: 0 } },
      { alter: (answer) => ({ ...answer, body: answer.body.subarray(0, 1000) }) },
      { alter: (answer) => ({ ...answer, body: Buffer.concat([answer.body.subarray(1), Buffer.from('x')]) }) },
    ] satisfies Effect[]) {
      proxy.play({ method: 'GET', effect })
      const stream = await bucket.open('k')
      assert.ok(stream)
      await told(buffer(stream), 'STORAGE_FAILED', /reading failed/)
      await told(bucket.read('k', MIB), 'STORAGE_FAILED', /reading failed/)
    }
  })

  test('bytes that come through otherwise than they were sent are sent again', IN_TIME, async (t) => {
    const { bucket, direct } = await warm(t)
    for (const [key, bytes, path] of [
      ['large', LARGE, /partNumber=2/],
      ['small', SMALL, /small/],
    ] as const) {
      proxy.play({ method: 'PUT', path, nth: 1, effect: { flip: true } })
      await bucket.put(key, bodyOf(bytes), EXCLUSIVE)
      assert.ok((await direct.get(`p/${key}`))?.equals(bytes), key)
    }
  })

  test('a server that is too slow, in either direction, is left and tried again', IN_TIME, async (t) => {
    const { bucket, direct } = await warm(t)
    proxy.play({ method: 'PUT', nth: 1, effect: { pace: { up: 0 } } })
    await bucket.put('silent', bodyOf(LARGE.subarray(0, MIB)), EXCLUSIVE)
    proxy.play({ method: 'PUT', nth: 1, effect: { pace: { up: 200 } } })
    await bucket.put('k', bodyOf(LARGE.subarray(0, MIB)), EXCLUSIVE)
    assert.ok((await direct.get('p/k'))?.equals(LARGE.subarray(0, MIB)))
    for (const down of [0, 200]) {
      proxy.play({ method: 'GET', nth: 1, effect: { pace: { down } } })
      assert.ok((await bucket.read('k', MIB))?.equals(LARGE.subarray(0, MIB)))
    }
    proxy.play({ effect: { pace: { down: 200 } } })
    const stream = await bucket.open('k')
    await told(buffer(stream ?? assert.fail()), 'STORAGE_FAILED')
  })

  test('a slow link is no fault, as long as it moves', IN_TIME, async (t) => {
    const { bucket } = await warm(t)
    await bucket.put('k', bodyOf(SMALL), EXCLUSIVE)
    proxy.seen()
    proxy.play({ method: 'GET', effect: { pace: { down: 150_000 } } })
    assert.deepEqual(await bucket.read('k', MIB), SMALL)
    assert.equal(proxy.seen().length, 1)
  })

  test('what never passes is told with address, status and advice, after a few attempts', IN_TIME, async (t) => {
    const { bucket, direct } = await warm(t)
    for (const [effect, message] of [
      [refused(503, 'SlowDown'), /503 SlowDown/],
      [refused(403, 'RequestTimeTooSkewed'), /RequestTimeTooSkewed/],
      [{ reset: 'before' }, /ECONNRESET/],
    ] as const) {
      proxy.seen()
      proxy.play({ method: 'PUT', effect })
      await told(bucket.put('k', bodyOf(SMALL), EXCLUSIVE), 'STORAGE_FAILED', message)
      assert.equal(proxy.seen().filter(({ method }) => method === 'PUT').length, 6)
      assert.equal(await direct.get('p/k'), null)
      proxy.play({ method: 'PUT', path: /partNumber=1/, effect })
      await told(bucket.put('k', bodyOf(LARGE), EXCLUSIVE), 'STORAGE_FAILED', message)
      assert.equal(await direct.get('p/k'), null)
      assert.deepEqual(await direct.uploads(), [])
    }
  })

  test('an abandoned upload is ended, also when ending it fails at first', IN_TIME, async (t) => {
    const { bucket, direct } = await warm(t)
    proxy.play(
      { method: 'PUT', path: /partNumber=2/, effect: refused(403, 'AccessDenied') },
      { method: 'DELETE', nth: 1, effect: refused(503, 'SlowDown') },
    )
    await told(bucket.put('k', bodyOf(LARGE), EXCLUSIVE), 'STORAGE_FAILED', /403 AccessDenied/)
    assert.deepEqual(await direct.uploads(), [])
    assert.equal(await direct.get('p/k'), null)
  })

  test('the source of an upload that failed is closed, and nothing more of it is sent', IN_TIME, async (t) => {
    const { bucket } = await warm(t)
    const body = bodyOf(randomBytes(80 * MIB))
    let source: ReturnType<typeof body.open> | undefined
    const watched = { ...body, open: () => (source = Readable.from(inPieces(body.open()))) }
    proxy.play({ method: 'PUT', path: /partNumber=1&/, effect: refused(403, 'AccessDenied') })
    await told(bucket.put('k', watched, EXCLUSIVE), 'STORAGE_FAILED')
    assert.equal(source?.destroyed, true)
    const sent = proxy.seen().filter(({ url }) => url.includes('partNumber')).length
    assert.ok(sent < 10, `${sent} parts were sent`)
  })

  test('when the server asks to slow down, all requests wait, and it is told', IN_TIME, async (t) => {
    const { bucket, waits, toldAt, clock } = await warm(t)
    for (const effect of [refused(429, 'TooManyRequests', { 'retry-after': '7' }), refused(503, 'SlowDown')]) {
      waits.length = 0
      toldAt.length = 0
      clock.slept.length = 0
      proxy.play({ method: 'PUT', nth: 1, effect })
      const first = bucket.put('k', bodyOf(String(Math.random())), REPLACE)
      while (waits.length === 0) await new Promise((resolve) => setTimeout(resolve, 1))
      const before = proxy.seen().length
      await bucket.head('warm')
      assert.ok(
        before > 0 && performance.now() - (toldAt[0] ?? 0) >= (waits[0] ?? 0) / clock.haste - 2,
        'it did not wait',
      )
      await first
      assert.equal(waits.length, 1)
    }
    assert.ok((waits[0] ?? 0) > 0)
  })

  test('a HEAD that lies: what is written is not believed to be there', IN_TIME, async (t) => {
    const { bucket } = await warm(t)
    for (const headers of [{ 'content-length': '5' }, { 'x-amz-meta-sha256': '0'.repeat(64) }]) {
      proxy.play({
        method: 'HEAD',
        nth: 2,
        effect: { alter: (answer) => ({ ...answer, headers: { ...answer.headers, ...headers } }) },
      })
      await told(bucket.put(`k${Math.random()}`, bodyOf(SMALL), REPLACE), 'CONTRADICTION', /SHA-256/)
    }
    proxy.play({ method: 'HEAD', nth: 2, effect: { answer: { status: 404 } } })
    await told(bucket.put('gone', bodyOf(SMALL), REPLACE), 'STORAGE_FAILED', /is absent/)
  })

  test('a listing that is stale, cut off, or somebody else’s', IN_TIME, async (t) => {
    const { bucket } = await warm(t)
    await bucket.put('old', bodyOf('old'), EXCLUSIVE)
    let stale: Buffer | undefined
    proxy.play({ method: 'GET', effect: { alter: (answer) => ({ ...answer, body: (stale ??= answer.body) }) } })
    await keysOf(bucket)
    await bucket.put('new', bodyOf('one'), EXCLUSIVE)
    assert.deepEqual(await keysOf(bucket), ['old', 'warm'])
    // What decides is the key itself.
    assert.equal(await bucket.put('new', bodyOf('one'), EXCLUSIVE), 'present')
    await told(bucket.put('new', bodyOf('two'), EXCLUSIVE), 'CONTRADICTION')
    const cuts: ((text: string) => string)[] = [
      (text) => text.slice(0, text.length / 2),
      (text) => text.slice(0, text.indexOf('</Contents>') + 11),
      (text) => text.replace(/<Contents>[\s\S]*?<\/Contents>/, ''),
      (text) => text.replaceAll('<Key>p/', '<Key>q/'),
      () => '',
      () => '<html><body>log in</body></html>',
    ]
    for (const cut of cuts) {
      proxy.play({
        method: 'GET',
        effect: { alter: (answer) => ({ ...answer, body: cut(answer.body.toString('utf8')) }) },
      })
      await told(keysOf(bucket), 'STORAGE_FAILED', undefined, undefined, String(cut))
    }
  })

  test('a redirect to another host: nothing is sent there', IN_TIME, async (t) => {
    const elsewhere = await startFaultProxy(server.url)
    t.after(() => elsewhere.stop())
    const { bucket } = await warm(t)
    for (const status of [301, 302, 307, 308]) {
      proxy.play({ effect: { answer: { status, headers: { location: `${elsewhere.url}/x` } } } })
      for (const action of [
        () => bucket.head('warm'),
        () => bucket.read('warm', 10),
        () => bucket.put('k', bodyOf('x'), EXCLUSIVE),
        () => bucket.delete('warm'),
        () => keysOf(bucket),
      ])
        await told(action(), 'STORAGE_FAILED', new RegExp(String(status)), /region/)
    }
    assert.deepEqual(elsewhere.seen(), [])
  })

  test('what is wrong with rights and names is told as what it is', IN_TIME, async (t) => {
    const cases: readonly (readonly [Parameters<typeof world>[1], RegExp, RegExp])[] = [
      [{ secret: 'hunter2-hunter2' }, /403 SignatureDoesNotMatch/, /AWS_SECRET_ACCESS_KEY/],
      [{ region: 'elsewhere-1' }, /40\d \w*(Authorization|Signature|Credential)\w*/, /region/],
      [{ bucket: 'not-there' }, /no bucket|NoSuchBucket/, /Make the bucket/],
    ]
    for (const [options, message, hint] of cases) {
      const { bucket } = await world(t, options)
      for (const action of [
        () => bucket.head('k'),
        () => bucket.read('k', 10),
        () => bucket.put('k', bodyOf('x'), EXCLUSIVE),
        () => keysOf(bucket),
      ]) {
        const error = await told(action(), 'STORAGE_FAILED', message, hint)
        assert.doesNotMatch(error.message, /UnknownError/)
      }
    }
    const { bucket } = await warm(t)
    for (const [fault, action] of [
      [{ method: 'GET', path: /list-type/ }, () => keysOf(bucket)],
      [{ method: 'DELETE' }, () => bucket.delete('warm')],
      [{ method: 'PUT' }, () => bucket.put('k', bodyOf('x'), EXCLUSIVE)],
    ] as const) {
      proxy.seen()
      proxy.play({ ...fault, effect: refused(403, 'AccessDenied') })
      await told(action(), 'STORAGE_FAILED', /403 AccessDenied/, /read, write, list and delete/)
      assert.equal(proxy.seen().filter(({ status }) => status === 403).length, 1, 'it was asked again')
    }
    const cold = await world(t)
    proxy.play({ method: 'PUT', effect: refused(403, 'AccessDenied') })
    await told(cold.bucket.requireWritable(), 'STORAGE_FAILED', /403 AccessDenied/, /read, write, list and delete/)
    proxy.play({ method: 'PUT', effect: refused(403, 'QuotaExceeded') })
    await told(bucket.put('k', bodyOf('x'), EXCLUSIVE), 'STORAGE_FAILED', /QuotaExceeded/, /quota/)
  })

  test('a server that can not be reached', IN_TIME, async (t) => {
    const gone = await startFaultProxy(server.url)
    await gone.stop()
    const clock = hurried()
    const address = parseS3Address(`s3://gone?endpoint=${gone.url}&region=x`)
    const client = s3Client(address, { ca: null, credentials: { accessKeyId, secretAccessKey } })
    t.after(() => client.destroy())
    await told(s3Bucket({ address, client, clock }).head('k'), 'STORAGE_FAILED', /ECONNREFUSED/, /endpoint=/)
    assert.equal(clock.slept.filter((milliseconds) => milliseconds < 60_000).length, 5)
  })

  test('how many requests each operation takes', IN_TIME, async (t) => {
    const { bucket } = await world(t)
    const cost = async (action: () => Promise<unknown>) => {
      proxy.seen()
      await action()
      return proxy.seen().map(({ method }) => method)
    }
    const first = await cost(() => bucket.put('a', bodyOf('a'), EXCLUSIVE))
    assert.equal(first.length, 3 + 5, 'the bucket is looked at, and what the server can do is tried, once')
    // The server itself refuses to replace it: nobody has to look before.
    assert.deepEqual(await cost(() => bucket.put('b', bodyOf('b'), EXCLUSIVE)), ['PUT', 'HEAD'])
    assert.deepEqual(await cost(() => bucket.put('b', bodyOf('b'), EXCLUSIVE)), ['PUT', 'HEAD'])
    await assert.rejects(bucket.put('b', bodyOf('c'), EXCLUSIVE), { code: 'CONTRADICTION' })
    assert.deepEqual(await cost(() => bucket.put('b', bodyOf('c'), REPLACE)), ['HEAD', 'PUT', 'HEAD'])
    assert.deepEqual(await cost(() => bucket.put('b', bodyOf('d'), { ...REPLACE, looked: true })), ['PUT', 'HEAD'])
    assert.deepEqual(await cost(() => bucket.put('b', bodyOf('c'), { ...REPLACE, looked: true })), ['PUT', 'HEAD'])
    assert.deepEqual(await cost(() => bucket.put('b', bodyOf('c'), REPLACE)), ['HEAD'])
    assert.deepEqual(
      (await cost(() => bucket.put('large', bodyOf(LARGE), EXCLUSIVE))).toSorted(),
      ['HEAD', 'POST', 'PUT', 'PUT', 'PUT', 'POST', 'GET', 'HEAD'].toSorted(),
      'looked for, begun, three parts, completed, leftovers looked for, read back',
    )
    assert.deepEqual(await cost(() => bucket.put('large', bodyOf(LARGE), EXCLUSIVE)), ['HEAD'])
    assert.deepEqual(await cost(() => bucket.head('a')), ['HEAD'])
    assert.deepEqual(await cost(() => bucket.head('absent')), ['HEAD'])
    assert.deepEqual(await cost(() => bucket.read('a', 10)), ['GET'])
    assert.deepEqual(await cost(() => bucket.delete('a')), ['DELETE'])
    assert.deepEqual(await cost(() => keysOf(bucket)), ['GET'])
  })

  /** What fails is told in one clear error, in which there is no secret. */
  async function told(
    action: Promise<unknown>,
    code: string,
    message = /./,
    hint = /./,
    what = '',
  ): Promise<PitlaneError> {
    const error = await action.then(
      () => assert.fail(`it succeeded ${what}`),
      (thrown: unknown) => thrown,
    )
    assert.ok(error instanceof PitlaneError, inspect(error))
    assert.equal(error.code, code, error.message)
    assert.match(error.message, message)
    assert.match(error.message, /^s3:\/\/[\w./-]+ at http:\/\/127\.0\.0\.1:\d+/)
    assert.match(error.hint ?? '', hint)
    holdsNone(said(error), [secretAccessKey, 'hunter2', 'Signature='])
    return error
  }
}

/** The server as it is, not through the proxy. */
function there(client: S3Client, Bucket: string) {
  return {
    async get(Key: string): Promise<Buffer | null> {
      try {
        const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }))
        return Buffer.from((await Body?.transformToByteArray()) ?? [])
      } catch (error) {
        if (error instanceof Error && error.name === 'NoSuchKey') return null
        throw error
      }
    },
    put: (Key: string, Body: string) => client.send(new PutObjectCommand({ Bucket, Key, Body })),
    keys: async () =>
      ((await client.send(new ListObjectsV2Command({ Bucket }))).Contents ?? []).map(({ Key = '' }) => Key),
    uploads: async () =>
      ((await client.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads ?? []).map(({ Key = '' }) => Key),
  }
}

async function* inPieces(source: Readable): AsyncGenerator<Buffer> {
  for await (const whole of source as AsyncIterable<Buffer>)
    for (let at = 0; at < whole.length; at += MIB) yield whole.subarray(at, at + MIB)
}
