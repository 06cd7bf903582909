/**
 * The release test gets the exact binary that will be published: a copy out of the content store, proved by its digest before and after.
 * Natively where the kernel executes it, else under qemu-user; where neither works, it did not run, and that is what is recorded.
 */
import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { chmod, copyFile, type FileHandle, lstat, mkdir, open, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ArtifactRow, putReleaseTest, readArtifacts, readReleaseTests } from '../database/queries/artifacts.ts'
import { PitlaneError, systemCode } from '../errors.ts'
import { findTarget } from '../plan/targets.ts'
import type { StageContext } from '../run/parts.ts'
import { shellWord } from '../shell-word.ts'
import { fileChunks } from './file-chunks.ts'
import { findRunner } from './runner.ts'
import type { StageParts } from './stage-work.ts'
import { reading, storageFailed } from './storage-failed.ts'

type TestParts = Pick<StageParts, 'content' | 'writer' | 'env' | 'machine'>

/** Makes the binary ready to run; tells why, when it can't run here. */
export async function prepareReleaseTest(parts: TestParts, context: StageContext): Promise<string | null> {
  const artifact = await testedArtifact(parts, context)
  const target = findTarget(artifact.target)
  if (target === undefined) throw new PitlaneError('INTERNAL', `no target ${artifact.target}`)
  await mkdir(context.folder, { recursive: true })
  const runner = await findRunner(artifact.target, {
    machine: parts.machine,
    path: parts.env['PATH'] ?? '',
    folder: context.folder,
  })
  const row = { build_id: context.build.id, target: artifact.target }
  if (runner === null) {
    const reason = `this machine does not execute ${target.platform} programs and has no ${target.qemu.program}`
    await parts.writer.write((trx) =>
      putReleaseTest(trx, { ...row, result: 'not-run', mode: null, binary_sha256: null, reason }),
    )
    return reason
  }
  const place = paths(context, artifact.name)
  await rm(place.folder, { recursive: true, force: true })
  await mkdir(place.folder, { recursive: true })
  const stored = parts.content.path(artifact.sha256)
  await reading(stored, copyFile(stored, place.binary))
  await chmod(place.binary, 0o555)
  await mustBe(artifact, place.binary, 'STORAGE_FAILED')
  if (runner.mode === 'qemu') {
    await mkdir(place.wrapperFolder)
    const words = [...runner.command, place.binary].map(shellWord).join(' ')
    await writeFile(place.wrapper, `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 })
  }
  await parts.writer.write((trx) =>
    putReleaseTest(trx, { ...row, result: 'running', mode: runner.mode, binary_sha256: artifact.sha256, reason: null }),
  )
  return null
}

/**
 * `BINARY` can be executed; `BINARY_FILE` is the file itself, the same unless an emulator runs it; `BINARY_SHA256` is its digest;
 * `BINARY_MODE` is `native` or `qemu`.
 */
export async function releaseTestEnvironment(parts: TestParts, context: StageContext): Promise<Record<string, string>> {
  const artifact = await testedArtifact(parts, context)
  const test = await testRow(parts, context)
  if (test.mode === null)
    throw new PitlaneError('PLAN_CONTRADICTION', `${context.stage.id} has nothing to run its binary with`)
  const place = paths(context, artifact.name)
  return {
    BINARY: test.mode === 'qemu' ? place.wrapper : place.binary,
    BINARY_FILE: place.binary,
    BINARY_SHA256: artifact.sha256,
    BINARY_MODE: test.mode,
  }
}

/** The steps were green: the test has passed, if they ran what is published. */
export async function finishReleaseTest(parts: TestParts, context: StageContext): Promise<void> {
  const artifact = await testedArtifact(parts, context)
  const place = paths(context, artifact.name)
  const test = await testRow(parts, context)
  // Else written down before a crash: the binary may be gone by now.
  if (test.result !== 'passed') {
    await mustBe(artifact, place.binary, 'OUTPUT_UNFIT')
    await parts.writer.write((trx) => putReleaseTest(trx, { ...test, result: 'passed' }))
  }
  await rm(place.folder, { recursive: true, force: true })
}

async function testedArtifact(parts: TestParts, context: StageContext): Promise<ArtifactRow> {
  const artifacts = await readArtifacts(parts.writer.db, context.build.id)
  const artifact = artifacts.find((candidate) => candidate.target === context.stage.target)
  if (artifact === undefined)
    throw new PitlaneError('PLAN_CONTRADICTION', `${context.stage.id} has no artifact to test`)
  return artifact
}

async function testRow(parts: TestParts, context: StageContext) {
  const tests = await readReleaseTests(parts.writer.db, context.build.id)
  const test = tests.find((candidate) => candidate.target === context.stage.target)
  if (test === undefined) throw new PitlaneError('PLAN_CONTRADICTION', `${context.stage.id} was never prepared`)
  return test
}

function paths(context: StageContext, name: string) {
  const folder = join(context.folder, 'binary')
  const wrapperFolder = join(folder, 'emulated')
  return { folder, binary: join(folder, name), wrapperFolder, wrapper: join(wrapperFolder, name) }
}

async function mustBe(artifact: ArtifactRow, path: string, code: 'STORAGE_FAILED' | 'OUTPUT_UNFIT'): Promise<void> {
  const found = await digestOfFile(path)
  if (found === artifact.sha256) return
  throw new PitlaneError(
    code,
    `${path} ${found === null ? 'is no regular file any more' : `has SHA-256 ${found}`}; what was built and will be published has ${artifact.sha256}`,
    {
      hint:
        code === 'OUTPUT_UNFIT'
          ? 'The release test must not change the binary it tests.'
          : 'Something changed it. Run the same command again: a new build begins.',
    },
  )
}

/** Null when there is no regular file: a test may have put anything there, and a named pipe would be waited for without end. */
async function digestOfFile(path: string): Promise<string | null> {
  const file = await openRegular(path)
  if (file === null) return null
  try {
    if (!(await file.stat()).isFile()) return null
    const hash = createHash('sha256')
    for await (const chunk of fileChunks(file, path)) hash.update(chunk)
    return hash.digest('hex')
  } finally {
    await file.close()
  }
}

async function openRegular(path: string): Promise<FileHandle | null> {
  try {
    // Looked at before it is opened: opening a device can do things.
    if (!(await lstat(path)).isFile()) return null
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY)
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return null
    throw storageFailed(path, 'read', error)
  }
}
