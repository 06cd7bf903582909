import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../../clock.ts'
import { type HttpLimits, httpReader } from './reader.ts'

/** Small enough to be met at once; what a test is not about is far away. */
const NEVER: HttpLimits = { idle: 3_600_000, rate: 0.001, grace: 3_600_000 }

/** What waits for ever is red, and holds nobody up. */
const IN_TIME = { timeout: 60_000 }

/** A server that answers everything in this way; says when a connection was let go of. */
async function serve(t: TestContext, answer: (response: ServerResponse) => void, limits: Partial<HttpLimits> = {}) {
  const closed = Promise.withResolvers<void>()
  const server = createServer((_, response) => {
    response.once('close', () => closed.resolve())
    answer(response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/bucket`
  return { base, closed: closed.promise, reader: httpReader(base, systemClock, { ...NEVER, ...limits }) }
}

/** A byte every few milliseconds, for ever. */
function drip(response: ServerResponse): void {
  response.writeHead(200, { 'content-length': 1_000_000 })
  const timer = setInterval(() => response.write('x'), 5)
  response.once('close', () => clearInterval(timer))
}

test('an object is read, and only 404 and 410 say that there is none', IN_TIME, async (t) => {
  const there = await serve(t, (response) => response.end('hello'))
  assert.equal(String(await there.reader.read('a b/c', 5)), 'hello')
  const stream = await there.reader.open('a')
  assert.equal(String(stream === null ? null : await buffer(stream)), 'hello')
  for (const status of [404, 410]) {
    const { reader } = await serve(t, (response) => response.writeHead(status).end('nothing'))
    assert.equal(await reader.read('a', 5), null)
  }
  for (const status of [403, 500, 204]) {
    const { reader } = await serve(t, (response) => response.writeHead(status).end())
    await assert.rejects(reader.read('a', 5), { code: 'FETCH_FAILED' })
  }
})

test('a server that drips is left once it is slower than allowed', IN_TIME, async (t) => {
  const { reader, base, closed } = await serve(t, drip, { rate: 1_000_000, grace: 50 })
  await assert.rejects(reader.read('a', 1_000_000), {
    code: 'FETCH_FAILED',
    message: new RegExp(`^${base}/a is too slow: \\d+ bytes in [\\d.]+ s, less than 1000000 bytes in a second$`),
    hint: /--from FOLDER/,
  })
  await closed
})

test('a server that stops in the middle, or never answers, is left', IN_TIME, async (t) => {
  const middle = await serve(t, (response) => response.writeHead(200, { 'content-length': 100 }).write('some'), {
    idle: 1000,
  })
  await assert.rejects(middle.reader.read('a', 100), {
    code: 'FETCH_FAILED',
    message: /is too slow: nothing more after 4 bytes in 1 s$/,
  })
  await middle.closed
  const silent = await serve(t, () => {}, { idle: 50 })
  await assert.rejects(silent.reader.open('a'), { code: 'FETCH_FAILED', message: /is too slow: no answer in 0\.1 s$/ })
  await silent.closed
})

test('a slow start is forgiven, and a body that comes in its time is whole', IN_TIME, async (t) => {
  const { reader } = await serve(t, (response) => {
    response.writeHead(200)
    response.write('begin')
    setTimeout(() => response.end('end'), 100)
  })
  assert.equal(String(await reader.read('a', 100)), 'beginend')
})

test('more than is read of such a file is told with the limit, and the rest is not fetched', IN_TIME, async (t) => {
  const { reader, base, closed } = await serve(t, drip)
  await assert.rejects(reader.read('a', 3), {
    code: 'FETCH_FAILED',
    message: `${base}/a is larger than the 3 bytes that are read of such a file`,
    hint: /address of a bucket/,
  })
  await closed
})

test('a connection that breaks off is never the end of an object', IN_TIME, async (t) => {
  const { reader } = await serve(t, (response) => {
    response.writeHead(200, { 'content-length': 100 }).write('some')
    setTimeout(() => response.destroy(), 20)
  })
  await assert.rejects(reader.read('a', 100), { code: 'FETCH_FAILED', message: /broke off/ })
})
