/**
 * The release test gets the exact binary that will be published: a copy out of the content store, proved by its digest before and after.
 * Natively where the kernel executes it, else under qemu-user; where neither works, it did not run, and that is what is recorded.
 *
 * So is whether the test ran the binary at all. Under an emulator the wrapper says so before it starts the binary. Natively the test has the file
 * itself, and only its access time can tell: a file that nobody has opened was not run. One that was opened may have been.
 */
import { constants } from 'node:fs'
import { chmod, copyFile, type FileHandle, lstat, mkdir, open, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type ArtifactRow,
  putReleaseTest,
  readArtifacts,
  readReleaseTests,
  type ReleaseTestRow,
} from '../database/queries/artifacts.ts'
import { PitlaneError, systemCode } from '../errors.ts'
import { fileChunks } from '../bytes/chunks.ts'
import { measure } from '../bytes/digest.ts'
import { findTarget, type Target } from '../plan/targets.ts'
import type { StageContext } from '../run/parts.ts'
import type { Evidence } from './evidence.ts'
import { readMark, witnessText, wrapperText } from './emulated.ts'
import { findRunner } from './runner.ts'
import type { StageParts } from './stage-work.ts'
import { reading, storageFailed } from '../files/storage-failed.ts'
import { howToDecide } from './verify-elf.ts'

type TestParts = Pick<StageParts, 'content' | 'writer' | 'env' | 'machine'>

/** Makes the binary ready to run; tells why, when it can't run here. */
export async function prepareReleaseTest(parts: TestParts, context: StageContext): Promise<string | null> {
  const artifact = await testedArtifact(parts, context)
  const target = findTarget(artifact.target)
  if (target === undefined) throw new PitlaneError('INTERNAL', `no target ${artifact.target}`)
  await mkdir(context.folder, { recursive: true })
  const { findings } = await evidenceOf(artifact)
  const runner = await findRunner(artifact.target, {
    machine: parts.machine,
    path: parts.env['PATH'] ?? '',
    folder: context.folder,
    // What the file does not tell, its target's own CPU has to.
    exactCpu: findings.length > 0,
  })
  const row = { build_id: context.build.id, target: artifact.target, executed: null }
  if (runner === null && findings.length > 0)
    throw undecided(target, findings, `this machine has no ${target.qemu.program}`)
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
  await rm(place.mark, { force: true })
  if (runner.mode === 'qemu') {
    await mkdir(place.wrapperFolder)
    const emulation = { command: [...runner.command, place.binary], mark: place.mark }
    const text = findings.length > 0 ? witnessText(emulation) : wrapperText(emulation)
    await writeFile(place.wrapper, text, { mode: 0o755 })
  } else await utimes(place.binary, NEVER, (await lstat(place.binary)).mtime)
  await parts.writer.write((trx) =>
    putReleaseTest(trx, {
      ...row,
      result: 'running',
      mode: runner.mode,
      binary_sha256: artifact.sha256,
      reason: null,
      executed: 0,
    }),
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

/**
 * The steps were green: the test has passed, on what is published.
 * @throws PitlaneError `OUTPUT_UNFIT` when they changed the binary, `ELF_MISMATCH` when only running it would have decided what it is
 */
export async function finishReleaseTest(parts: TestParts, context: StageContext): Promise<void> {
  const artifact = await testedArtifact(parts, context)
  const place = paths(context, artifact.name)
  const test = await testRow(parts, context)
  // Else written down before a crash: the binary may be gone by now.
  if (test.result !== 'passed') {
    await mustBe(artifact, place.binary, 'OUTPUT_UNFIT')
    const executed = await wasExecuted(test, place)
    const { findings } = await evidenceOf(artifact)
    const target = findTarget(artifact.target)
    if (findings.length > 0 && target !== undefined) {
      if (executed !== 1) throw undecided(target, findings, 'the release test passed without it')
      if (readMark(await textOf(place.mark)) === 'illegal-instruction')
        throw undecided(
          target,
          findings,
          `and there it met an instruction that ${target.qemu.cpu ?? 'that CPU'} does not have`,
        )
    }
    await parts.writer.write((trx) => putReleaseTest(trx, { ...test, result: 'passed', executed }))
  }
  await rm(place.folder, { recursive: true, force: true })
  await rm(place.mark, { force: true })
}

/** Bytes. */
const MARK_LIMIT = 1024 * 1024

/** Nobody has opened it since: 1970. */
const NEVER = new Date(0)

/** As in the row; of a test that an older version has prepared it is not known. */
async function wasExecuted(test: ReleaseTestRow, place: ReturnType<typeof paths>): Promise<0 | 1 | null> {
  if (test.executed === null) return null
  if (test.mode === 'qemu') return readMark(await textOf(place.mark)) === 'not-run' ? 0 : 1
  return (await wasOpened(place.binary)) ? null : 0
}

/** False only where it is certain: not every file system keeps access times. Pitlane itself reads without changing them. */
async function wasOpened(path: string): Promise<boolean> {
  if ((await lstat(path)).atimeMs !== NEVER.getTime()) return true
  const probe = `${path}.probe`
  await writeFile(probe, 'x')
  await utimes(probe, NEVER, NEVER)
  await readFile(probe)
  const kept = (await lstat(probe)).atimeMs !== NEVER.getTime()
  await rm(probe)
  return !kept
}

/** Null when there is no regular file. As many runs as a test has fit into the limit. */
async function textOf(path: string): Promise<string | null> {
  const file = await openRegular(path)
  if (file === null) return null
  try {
    const { buffer, bytesRead } = await reading(path, file.read(Buffer.alloc(MARK_LIMIT), 0, MARK_LIMIT, 0))
    return buffer.toString('latin1', 0, bytesRead)
  } finally {
    await file.close()
  }
}

function undecided(target: Target, findings: readonly string[], why: string): PitlaneError {
  return new PitlaneError('ELF_MISMATCH', `${findings.join('; ')}; ${why}`, {
    hint: howToDecide(target),
  })
}

async function evidenceOf(artifact: ArtifactRow): Promise<Evidence> {
  // Loaded when something was built: checks start without it.
  return (await import('./evidence.ts')).readEvidence(artifact)
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
  // Apart from what the test is given: the wrapper says here that it was started.
  const mark = join(context.folder, 'executed')
  return { folder, binary: join(folder, name), wrapperFolder, wrapper: join(wrapperFolder, name), mark }
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
    return (await reading(path, measure(fileChunks(file)))).sha256
  } finally {
    await file.close()
  }
}

async function openRegular(path: string): Promise<FileHandle | null> {
  try {
    // Looked at before it is opened: opening a device can do things.
    const facts = await lstat(path)
    if (!facts.isFile()) return null
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY
    // Only for one's own files; somebody else's is not what was put there.
    return await open(path, facts.uid === process.getuid?.() ? flags | constants.O_NOATIME : flags)
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return null
    throw storageFailed('reading', path, error)
  }
}
