import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import tar from 'tar-stream'
import { archiveHeader, archiveSize, archiveTail, archiveTime, readTime } from './ustar.ts'

async function unpack(archive: Buffer) {
  const extract = tar.extract()
  extract.end(archive)
  const entries: { header: tar.Header; content: string }[] = []
  for await (const entry of extract) {
    const chunks: Buffer[] = []
    for await (const chunk of entry) chunks.push(chunk as Buffer)
    entries.push({ header: entry.header, content: Buffer.concat(chunks).toString('latin1') })
  }
  return entries
}

test('another tar reader sees one executable of root', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.stringMatching(/^[A-Za-z0-9_+-][A-Za-z0-9._+-]{0,99}$/),
      fc.uint8Array({ maxLength: 2000 }),
      fc.integer({ min: 0, max: 4_000_000_000 }),
      async (name, content, mtime) => {
        const archive = Buffer.concat([
          archiveHeader({ name, size: content.length, mtime }),
          content,
          archiveTail(content.length),
        ])
        assert.equal(archive.length, archiveSize(content.length))
        assert.equal(readTime(archive), mtime)
        const [entry, ...others] = await unpack(archive)
        assert.equal(others.length, 0)
        assert.equal(entry?.content, Buffer.from(content).toString('latin1'))
        const { header } = entry
        assert.deepEqual(
          [header.name, header.mode, header.uid, header.gid, header.size, header.type, header.mtime?.getTime()],
          [name, 0o755, 0, 0, content.length, 'file', mtime * 1000],
        )
        assert.deepEqual([header.uname, header.gname], ['', ''])
      },
    ),
    { numRuns: 50 },
  )
})

test('a time that no header holds becomes the nearest one that does', () => {
  assert.equal(archiveTime(-1), 0)
  assert.equal(archiveTime(1.9), 1)
  assert.equal(archiveTime(Number.MAX_SAFE_INTEGER), 0o77777777777)
  assert.equal(readTime(archiveHeader({ name: 'a', size: 0, mtime: Number.MAX_SAFE_INTEGER })), 0o77777777777)
})

test('names and sizes that do not fit are refused', () => {
  for (const name of ['', '.', '..', 'a/b', '/a', 'a b', 'é', 'a\0b', 'a'.repeat(101)]) {
    assert.throws(() => archiveHeader({ name, size: 0, mtime: 0 }), { code: 'OUTPUT_UNFIT' }, JSON.stringify(name))
  }
  for (const size of [-1, 1.5, 2 ** 33, Number.NaN]) {
    assert.throws(() => archiveHeader({ name: 'a', size, mtime: 0 }), { code: 'OUTPUT_UNFIT' }, String(size))
  }
})
