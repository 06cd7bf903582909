import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { systemClock } from '../../clock.ts'
import { type Part, PartMemory } from './parts.ts'

const MIB = 1024 * 1024

test('parts of several objects: equal ones, in their order, and four in memory at once however many are asked for', async () => {
  const memory = new PartMemory(systemClock)
  let held = 0
  let most = 0
  const objects = [17 * MIB, 16 * MIB, 24 * MIB + 1].map((size) => randomBytes(size))
  const upload = async (bytes: Buffer) => {
    const body = {
      size: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      open: () => Readable.from([bytes.subarray(0, 5 * MIB), bytes.subarray(5 * MIB)]),
    }
    const parts = memory.partsOf(body, 'the test')
    const sent: Buffer[] = []
    const send = async ({ number, bytes: part }: Part) => {
      most = Math.max(most, (held += 1))
      await new Promise((resolve) => setImmediate(resolve))
      // Its memory is another part's afterwards.
      sent[number - 1] = Buffer.from(part)
      held -= 1
    }
    const worker = async () => {
      while (await memory.one(parts, send));
    }
    await Promise.all([worker(), worker(), worker(), worker()])
    assert.ok(Buffer.concat(sent).equals(bytes))
    return sent.map((part) => part.length / MIB)
  }
  assert.deepEqual(await Promise.all(objects.map(upload)), [
    [8, 8, 1],
    [8, 8],
    [8, 8, 8, 1 / MIB],
  ])
  assert.equal(most, 4)
})
