import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { systemClock } from '../clock.ts'
import { PitlaneError } from '../errors.ts'
import type { PlannedOutput } from '../plan/plan.ts'
import { TARGETS, type Target } from '../plan/targets.ts'
import { collect } from './collect.ts'
import { type ContentStore, contentStore } from './content.ts'
import { buildElf, staticBinary } from './fixtures/elf-builder.ts'

const top = mkdtempSync(join(tmpdir(), 'pitlane-collect-'))
after(() => rmSync(top, { recursive: true }))
const workspace = join(top, 'workspace')
mkdirSync(join(workspace, 'out/empty'), { recursive: true })
const content = contentStore(join(top, 'content'), systemClock)
const [amd64] = TARGETS as readonly [Target]

function output(path: string, target: Target = amd64): PlannedOutput {
  return {
    id: `binary/${target.triple}`,
    target: target.triple,
    name: 'tool',
    path,
    static: true,
    obligations: ['bytes'],
  }
}

const collected = (path: string, store: ContentStore = content) => collect(workspace, output(path), store, amd64)

async function refusal(path: string, store: ContentStore = content): Promise<PitlaneError> {
  const error = await collected(path, store).then(
    () => assert.fail(`${path} was collected`),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof PitlaneError, String(error))
  assert.ok(error.hint)
  return error
}

test('a fitting binary of each target is stored and described', async () => {
  for (const target of TARGETS) {
    const bytes = staticBinary(target.triple, Buffer.from(target.triple))
    writeFileSync(join(workspace, 'out/tool'), bytes)
    const artifact = await collect(workspace, output('out/tool', target), content, target)
    assert.ok(readFileSync(content.path(artifact.sha256)).equals(bytes))
    assert.deepEqual(
      [artifact.outputId, artifact.target, artifact.name, artifact.size, artifact.elf.machine],
      [`binary/${target.triple}`, target.triple, 'tool', bytes.length, target.elf.machine],
    )
    assert.equal(artifact.blake2b512.length, 128)
  }
})

test('a link inside the workspace is followed', async () => {
  writeFileSync(join(workspace, 'out/linked'), staticBinary(amd64.triple, Buffer.alloc(0)))
  symlinkSync('out/linked', join(workspace, 'link'))
  assert.equal((await collected('link')).elf.class, 64)
})

test('a missing output says what is there instead', async () => {
  for (let index = 0; index < 12; index += 1) writeFileSync(join(workspace, `out/f${index}`), '')
  const error = await refusal('out/release/bin/tool')
  assert.equal(error.code, 'OUTPUT_MISSING')
  assert.equal(error.message, 'out/release/bin/tool was not built')
  assert.match(
    error.hint ?? '',
    /^The folder out holds "empty", "f0", "f1", "f10", "f11", "f2", "f3", "f4" and \d+ more;/,
  )
  assert.match((await refusal('out/empty/tool')).hint ?? '', /^The folder out\/empty is empty;/)
  assert.match((await refusal('nothing')).hint ?? '', /^The stage folder holds .*"out"/)
})

test('what is no regular file is refused by its kind', async () => {
  assert.equal(spawnSync('mkfifo', [join(workspace, 'pipe')]).status, 0)
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(join(workspace, 'socket'), resolve))
  symlinkSync('/dev/zero', join(workspace, 'device-link'))
  try {
    assert.match((await refusal('out')).message, /out is a directory, not a regular file/)
    assert.match((await refusal('pipe')).message, /pipe is a named pipe/)
    assert.match((await refusal('socket')).message, /socket is a socket/)
    // Only root may make one.
    if (spawnSync('mknod', [join(workspace, 'device'), 'c', '1', '3']).status === 0) {
      assert.match((await refusal('device')).message, /device is a device, not a regular file/)
    }
    assert.match((await refusal('device-link')).message, /leads out of the stage folder, to \/dev\/zero/)
    for (const path of ['out', 'pipe', 'socket', 'device-link'])
      assert.equal((await refusal(path)).code, 'OUTPUT_UNFIT')
  } finally {
    server.close()
  }
})

test('paths that a plan never has are refused all the same', async () => {
  for (const path of ['', '/etc/passwd', '../x', 'out/../../x', 'a\0b']) {
    assert.equal((await refusal(path)).code, 'OUTPUT_UNFIT', path)
  }
})

test('an empty file and one beyond 4 GiB are refused before anything is copied', async () => {
  const store = contentStore(join(top, 'sizes'), systemClock)
  writeFileSync(join(workspace, 'nil'), '')
  writeFileSync(join(workspace, 'giant'), '')
  truncateSync(join(workspace, 'giant'), 4 * 1024 ** 3 + 1)
  assert.match((await refusal('nil', store)).message, /nil is empty/)
  assert.match((await refusal('giant', store)).message, /giant has 4294967297 bytes, more than 4294967296/)
  assert.throws(() => readdirSync(store.folder), { code: 'ENOENT' })
})

test('a file that changes while it is copied is refused, with another size or the same', async () => {
  const path = join(workspace, 'moving')
  const bytes = staticBinary(amd64.triple, Buffer.from('before'))
  const changes = [() => appendFileSync(path, 'more'), () => writeFileSync(path, bytes)]
  for (const change of changes) {
    writeFileSync(path, bytes)
    // Otherwise the clock of the file system may not have moved between the two writes.
    utimesSync(path, 1, 1)
    const store: ContentStore = {
      ...content,
      async putFrom(source, name, limit) {
        change()
        return content.putFrom(source, name, limit)
      },
    }
    assert.match((await refusal('moving', store)).message, /moving changed while it was collected/)
  }
})

test('the stored bytes are what is verified', async () => {
  const path = join(workspace, 'exchanged')
  writeFileSync(path, staticBinary(amd64.triple, Buffer.alloc(0)))
  const store: ContentStore = {
    ...content,
    async putFrom(source, name, limit) {
      const stored = await content.putFrom(source, name, limit)
      // As if the disk had kept other bytes than were read.
      const other = join(workspace, 'other')
      writeFileSync(other, buildElf({ triple: 'aarch64-unknown-linux-musl' }))
      return { ...stored, sha256: (await content.put(other)).sha256 }
    },
  }
  assert.equal((await refusal('exchanged', store)).code, 'ELF_MISMATCH')
})

test('an unfit executable names output, target and reason', async () => {
  writeFileSync(join(workspace, 'out/v7'), buildElf({ triple: 'armv6l-unknown-linux-musleabihf', armArch: 10 }))
  const armv6 = TARGETS.find((target) => target.variant === 'v6')
  assert.ok(armv6)
  await assert.rejects(collect(workspace, output('out/v7', armv6), content, armv6), {
    code: 'ELF_MISMATCH',
    message:
      'out/v7 of armv6l-unknown-linux-musleabihf: ARM version is ARMv7 (.ARM.attributes), ' +
      'target armv6l-unknown-linux-musleabihf needs at most ARMv6',
  })
  writeFileSync(join(workspace, 'out/script'), '#!/bin/sh\n')
  const error = await refusal('out/script')
  assert.deepEqual(
    [error.code, error.message],
    ['ELF_INVALID', 'out/script of x86_64-unknown-linux-musl: the file is a script, not ELF (at byte 0)'],
  )
})
