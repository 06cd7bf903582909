import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { CHUNK, giveBack, streamFile, takeChunk } from './chunks.ts'

const folder = mkdtempSync(join(tmpdir(), 'pitlane-chunks-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))
const bytes = randomBytes(5 * CHUNK + 123)
const path = join(folder, 'file')
writeFileSync(path, bytes)

test('who keeps the chunks has the file', async () => {
  assert.deepEqual(Buffer.concat(await streamFile(path).toArray()), bytes)
})

test('who gives them back has read the file, while another one keeps his', async () => {
  const hash = createHash('sha256')
  const kept: Buffer[] = []
  const keeper = (async () => {
    for await (const chunk of streamFile(path)) kept.push(chunk as Buffer)
  })()
  for await (const chunk of streamFile(path)) {
    hash.update(chunk as Buffer)
    giveBack(chunk as Buffer)
  }
  await keeper
  assert.equal(hash.digest('hex'), createHash('sha256').update(bytes).digest('hex'))
  assert.deepEqual(Buffer.concat(kept), bytes)
})

test('a chunk comes back once, and foreign ones never', () => {
  const chunk = takeChunk()
  giveBack(chunk)
  giveBack(chunk)
  assert.notEqual(takeChunk().buffer, takeChunk().buffer)
  const foreign = Buffer.alloc(CHUNK)
  giveBack(foreign)
  assert.notEqual(takeChunk().buffer, foreign.buffer)
})

test('a handle is closed at the end, when nobody reads on, and when the file is not there', async () => {
  for (const stopsEarly of [false, true]) {
    const handle = await open(path)
    const stream = streamFile(handle)
    const closed = new Promise((resolve) => stream.once('close', resolve))
    for await (const chunk of stream) {
      giveBack(chunk as Buffer)
      if (stopsEarly) break
    }
    await closed
    await assert.rejects(handle.stat(), { code: 'EBADF' })
  }
  await assert.rejects(streamFile(join(folder, 'absent')).toArray(), { code: 'ENOENT' })
})

test('a stream that is given up while its file is being opened leaves nothing open', async () => {
  const openFiles = () =>
    readdirSync('/proc/self/fd').filter((fd) => {
      const link = `/proc/self/fd/${fd}`
      return existsSync(link) && readlinkSync(link) === path
    }).length
  const stream = streamFile(path)
  stream.read()
  stream.destroy()
  await once(stream, 'close')
  // Whatever was asked of the system before has its answer by then.
  const later = await open(path)
  await later.close()
  assert.equal(openFiles(), 0)
})
