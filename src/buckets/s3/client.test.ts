import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { PitlaneError } from '../../errors.ts'
import { sha256Of } from '../../bytes/digest.ts'
import { parseS3Address } from '../address.ts'
import { s3Client } from './client.ts'
import { upload } from './upload.ts'
import { PartMemory } from './parts.ts'
import { systemClock } from '../../clock.ts'
import { ListObjectsV2Command } from '@aws-sdk/client-s3'

/** An S3 server that answers each request as it is told. */
async function server(t: TestContext, answer: Parameters<typeof createServer>[1]) {
  const made = createServer(answer)
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve))
  const endpoint = `http://127.0.0.1:${(made.address() as AddressInfo).port}`
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' }
  const client = s3Client(parseS3Address(`s3://bucket?endpoint=${endpoint}`), { ca: null, credentials })
  t.after(() => {
    client.destroy()
    made.closeAllConnections()
    made.close()
  })
  return client
}

test('an answer that does not end is left, and not kept in memory', async (t) => {
  const mebibyte = Buffer.alloc(1024 * 1024, 'x')
  for (const status of [200, 503]) {
    let sent = 0
    const client = await server(t, (_, answer) => {
      answer.writeHead(status, { 'content-type': 'application/xml' })
      const more = (): void => {
        while (sent < 500 && !answer.destroyed) {
          sent += 1
          if (!answer.write(mebibyte)) return void answer.once('drain', more)
        }
        answer.end()
      }
      more()
    })
    await assert.rejects(client.send(new ListObjectsV2Command({ Bucket: 'bucket' })))
    assert.ok(sent < 100, `${sent} MiB were read`)
  }
})

test('whoever loses the bucket between two tries does not send a second time', async (t) => {
  let puts = 0
  const client = await server(t, (request) => {
    puts += 1
    request.socket.destroy()
  })
  const bytes = Buffer.from('words')
  let asked = 0
  const requireHeld = async () => {
    asked += 1
    if (asked > 1) throw new PitlaneError('FENCED', 'somebody else publishes')
  }
  const limits = { attempts: 6, pause: 1, longest: 1 }
  const parts = { client, clock: systemClock, limits, threshold: 1_000_000, memory: new PartMemory(systemClock) }
  const body = { size: bytes.length, sha256: sha256Of(bytes), open: () => Readable.from([bytes]) }
  const options = { contentType: 'text/plain', cacheControl: 'no-cache', exclusive: false }
  const object = { bucket: 'bucket', key: 'key', where: 'here', body, options, onlyIfAbsent: false }
  await assert.rejects(upload(parts, { ...object, requireHeld, isThere: async () => false }), { code: 'FENCED' })
  assert.equal(puts, 1)
})
