// The bucket contract on real S3 servers: one that honours conditional writes, and one that ignores them.
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { after, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { httpReader } from '../../src/buckets/http/reader.ts'
import { bodyOf } from '../../src/release/digest.ts'
import { parseS3Address } from '../../src/buckets/address.ts'
import { s3Bucket } from '../../src/buckets/s3/bucket.ts'
import { s3Client } from '../../src/buckets/s3/client.ts'
import { type Clock, systemClock } from '../../src/clock.ts'
import { bucketContract } from '../contracts/bucket.contract.ts'
import { garage, startGarage } from './peers/garage.ts'
import type { S3Server } from './peers/s3.ts'
import { startVersitygw, versitygw } from './peers/versitygw.ts'

/** On loopback a write takes milliseconds. */
const QUICK = { life: 3000, settling: 300, poll: 50 }

function contractOn(server: S3Server, exclusive: boolean): void {
  let buckets = 0
  bucketContract(
    server.name,
    async (t) => {
      buckets += 1
      const name = `contract-${buckets}`
      await server.makeBucket(name)
      const address = parseS3Address(`s3://${name}/some/project?endpoint=${server.url}&region=${server.region}`)
      const { accessKey: accessKeyId, secretKey: secretAccessKey } = server
      const client = s3Client(address, { ca: null, credentials: { accessKeyId, secretAccessKey } })
      t.after(() => client.destroy())
      return s3Bucket({ address, client, clock: systemClock, threshold: 1024 * 1024, leaseTimes: QUICK })
    },
    exclusive,
  )

  test(`${server.name}: where an object sends readers is kept and changed, also when its bytes are the same`, async (t) => {
    await server.makeBucket('sending')
    const address = parseS3Address(`s3://sending/a/prefix?endpoint=${server.url}&region=${server.region}`)
    const credentials = { accessKeyId: server.accessKey, secretAccessKey: server.secretKey }
    const client = s3Client(address, { ca: null, credentials })
    t.after(() => client.destroy())
    const bucket = s3Bucket({ address, client, clock: systemClock, leaseTimes: QUICK })
    const web = await server.readBucket('sending')
    t.after(() => web.stop())
    const ask = (key: string) => httpReader(`${web.url}/a/prefix`, systemClock).redirectOf(key)
    const [there, elsewhere] = ['https://example.org/there', 'https://example.org/elsewhere']
    assert.equal(await bucket.redirects?.(there, ask), server.name === 'Garage')
    assert.equal(await bucket.redirects?.(there, async () => elsewhere), false)
    const put = (redirect?: string) =>
      bucket.put('on', bodyOf(Buffer.from('the same')), {
        contentType: 'text/plain',
        cacheControl: 'no-cache',
        exclusive: false,
        ...(redirect !== undefined && { redirect }),
      })
    assert.deepEqual([await put(there), await put(there), await put(elsewhere)], ['written', 'present', 'written'])
    assert.equal(await bucket.redirectOf?.('on'), elsewhere)
    assert.equal(await ask('on'), server.name === 'Garage' ? elsewhere : null)
    assert.deepEqual([await put(), await bucket.redirectOf?.('on')], ['written', null])
    assert.equal(await bucket.redirectOf?.('absent'), null)
    const left: string[] = []
    for await (const { key } of bucket.list('')) left.push(key)
    assert.deepEqual([left, web.notFound], [['on'], []])
  })

  test(`${server.name}: what a dead process of the same owner left is taken over at once, and nobody else's`, async (t) => {
    await server.makeBucket('owned')
    const open = () => {
      const address = parseS3Address(`s3://owned?endpoint=${server.url}&region=${server.region}`)
      const credentials = { accessKeyId: server.accessKey, secretAccessKey: server.secretKey }
      const client = s3Client(address, { ca: null, credentials })
      t.after(() => client.destroy())
      return s3Bucket({ address, client, clock: systemClock, leaseTimes: QUICK })
    }
    const request = (owner: string) => ({
      owner: owner.repeat(32),
      wait: 0,
      onWait: () => {},
      onUnsupported: () => {},
      signal: AbortSignal.timeout(60_000),
    })
    // Never released, as by one that was killed.
    const dead = open()
    await dead.lease(request('a'))
    await assert.rejects(open().lease(request('b')), { code: 'BUSY' })
    const lease = await open().lease(request('a'))
    await assert.rejects(open().lease(request('b')), { code: 'BUSY' })
    await lease.release()
    await (await open().lease(request('b'))).release()
    // Had it lived, it would find out at its next sign of life.
    await delay(QUICK.life)
    const body = {
      size: 0,
      sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      open: () => Readable.from([]),
    }
    const options = { contentType: 'text/plain', cacheControl: 'no-cache', exclusive: false }
    await assert.rejects(dead.put('late', body, options), { code: 'FENCED' })
  })

  for (const [how, isSteady] of [
    ['whose process was stopped', true],
    ['whose machine slept, and its steady clock too,', false],
  ] as const)
    test(`${server.name}: a publisher ${how} for longer than its lease lives writes nothing over what came meanwhile`, async (t) => {
      const name = isSteady ? 'stopped' : 'slept'
      await server.makeBucket(name)
      const open = (clock: Clock) => {
        const address = parseS3Address(`s3://${name}?endpoint=${server.url}&region=${server.region}`)
        const credentials = { accessKeyId: server.accessKey, secretAccessKey: server.secretKey }
        const client = s3Client(address, { ca: null, credentials })
        t.after(() => client.destroy())
        return s3Bucket({ address, client, clock, leaseTimes: QUICK })
      }
      let away = 0
      const dozing: Clock = {
        ...systemClock,
        now: () => systemClock.now() + away,
        monotonic: () => systemClock.monotonic() + (isSteady ? away : 0),
        // No timer of it has gone off by the time it goes on.
        sleep: (ms, signal) => systemClock.sleep(ms >= QUICK.life / 3 ? 3_600_000 : ms, signal),
      }
      const request = { wait: 60_000, onWait: () => {}, onUnsupported: () => {}, signal: AbortSignal.timeout(60_000) }
      const options = { contentType: 'text/plain', cacheControl: 'no-cache', exclusive: false }
      const [first, second] = [open(dozing), open(systemClock)]
      const old = await first.lease(request)
      t.after(() => old.release())
      await first.put('list', bodyOf(Buffer.from('1')), options)
      const lease = await second.lease(request)
      await second.put('list', bodyOf(Buffer.from('2')), options)
      away = QUICK.life * 2
      await assert.rejects(first.put('list', bodyOf(Buffer.from('1 and no more')), options), { code: 'FENCED' })
      await assert.rejects(first.delete('list'), { code: 'FENCED' })
      await assert.rejects(async () => first.requireHeld?.(), { code: 'FENCED' })
      assert.equal((await second.read('list', 9))?.toString(), '2')
      await lease.release()
    })
}

for (const { name, peer, start, exclusive } of [
  { name: 'versitygw', peer: versitygw(), start: startVersitygw, exclusive: true },
  { name: 'Garage', peer: garage(), start: startGarage, exclusive: false },
]) {
  if ('absent' in peer) test(name, { skip: peer.absent }, () => {})
  else {
    const server = await start(peer.program)
    after(() => server.stop())
    contractOn(server, exclusive)
  }
}
