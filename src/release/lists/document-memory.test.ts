import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { sha256Of } from '../../bytes/digest.ts'
import { documentMemory } from './document-memory.ts'

const one = Buffer.from('{"a document":\n1}\n')
const other = Buffer.from('d 5 not a record\n')
const seen = (name: string) => sha256Of(`sighting ${name}`)

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'pitlane-memory-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return join(path, 'documents')
}

/** A file that knows `one`, by a sighting, and `other`. */
async function filled(t: TestContext): Promise<string> {
  const file = folder(t)
  const memory = documentMemory(file, '1.0.0')
  memory.keep(one, sha256Of(one), seen('one'))
  await memory.save()
  memory.keep(other, sha256Of(other), null)
  await memory.save()
  return file
}

test('what was kept is there for the next command, and nothing else', async (t) => {
  const file = await filled(t)
  const memory = documentMemory(file, '1.0.0')
  assert.deepEqual(memory.bytes(sha256Of(one)), one)
  assert.deepEqual(memory.bytes(sha256Of(other)), other)
  assert.deepEqual([memory.seen(seen('one')), memory.seen(seen('other'))], [sha256Of(one), null])
  assert.equal(memory.bytes(sha256Of('never kept')), null)
  const before = readFileSync(file)
  memory.keep(one, sha256Of(one), seen('one'))
  await memory.save()
  assert.deepEqual(readFileSync(file), before, 'what is known is not written again')
})

test('a later sighting of the same name takes the place of the earlier one', async (t) => {
  const file = await filled(t)
  const memory = documentMemory(file, '1.0.0')
  memory.keep(other, sha256Of(other), seen('one'))
  await memory.save()
  assert.equal(documentMemory(file, '1.0.0').seen(seen('one')), sha256Of(other))
})

test('cut off anywhere, or with any byte changed, it knows less and nothing wrong, and learns again', async (t) => {
  const file = await filled(t)
  const whole = readFileSync(file)
  const assertNothingWrong = async (bytes: Buffer, what: string) => {
    writeFileSync(file, bytes)
    const memory = documentMemory(file, '1.0.0')
    for (const document of [one, other]) {
      const found = memory.bytes(sha256Of(document))
      assert.ok(found === null || found.equals(document), what)
    }
    assert.ok([null, sha256Of(one)].includes(memory.seen(seen('one'))), what)
    memory.keep(one, sha256Of(one), seen('one'))
    memory.keep(other, sha256Of(other), null)
    await memory.save()
    const next = documentMemory(file, '1.0.0')
    assert.deepEqual([next.bytes(sha256Of(one)), next.bytes(sha256Of(other))], [one, other], what)
    assert.equal(next.seen(seen('one')), sha256Of(one), what)
  }
  for (let at = 0; at < whole.length; at += 1) {
    await assertNothingWrong(whole.subarray(0, at), `cut off at ${at}`)
    const changed = Buffer.from(whole)
    changed[at] = (changed[at] ?? 0) ^ 1
    await assertNothingWrong(changed, `changed at ${at}`)
  }
})

test('what another version has held against its rules does not count', async (t) => {
  const memory = documentMemory(await filled(t), '1.0.1')
  assert.deepEqual([memory.bytes(sha256Of(one)), memory.seen(seen('one'))], [null, null])
})

test('a file that holds mostly what nobody asks for any more is written anew', async (t) => {
  const file = folder(t)
  const first = documentMemory(file, '1.0.0')
  const large = Buffer.alloc(2 * 1024 * 1024, 'x')
  first.keep(large, sha256Of(large), seen('large'))
  first.keep(one, sha256Of(one), seen('one'))
  await first.save()
  const second = documentMemory(file, '1.0.0')
  second.bytes(second.seen(seen('one')) ?? '')
  await second.save()
  assert.ok(readFileSync(file).length < 1000)
  assert.deepEqual(documentMemory(file, '1.0.0').bytes(sha256Of(one)), one)
})

test('a place that can be neither read nor written stops nothing', async (t) => {
  const memory = documentMemory(join(folder(t), 'no', 'such', 'folder'), '1.0.0')
  memory.keep(one, sha256Of(one), seen('one'))
  await memory.save()
  assert.deepEqual(memory.bytes(sha256Of(one)), one)
})
