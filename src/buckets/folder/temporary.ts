/** Unfinished writes: a file in a hidden folder of the bucket itself, so that a rename or link makes it the object at once. */
import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, lstat, mkdir, open, readdir, rmdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { Clock } from '../../clock.ts'
import { sha256Of } from '../../bytes/digest.ts'
import { PitlaneError, systemCode } from '../../errors.ts'
import { copyHashed } from '../../files/whole-files.ts'
import type { Body } from '../types.ts'
import { isAbsent, storageFailure } from './failure.ts'
import { TEMPORARY } from './key.ts'

/** Published bytes are for everybody to read, whatever the umask of the one who publishes. */
export const FILE_MODE = 0o644
export const FOLDER_MODE = 0o755

/** Milliseconds after which a temporary file belongs to nobody: no upload into a folder takes a day. */
const STALE = 24 * 60 * 60 * 1000
const TRIES = 100

let sequence = 0

/** Creates an empty temporary file. The folder may vanish between making and using it, when another writer was the last one in it. */
async function create(root: string, clock: Clock): Promise<{ path: string; handle: FileHandle }> {
  const folder = join(root, TEMPORARY)
  for (let attempt = 1; ; attempt += 1) {
    sequence += 1
    const path = join(folder, `${process.pid}-${sequence}-${clock.random(8).toString('hex')}`)
    try {
      await mkdir(folder, { mode: 0o700 }).catch((error: unknown) => {
        if (systemCode(error) !== 'EEXIST') throw error
      })
      if (!(await lstat(folder)).isDirectory()) throw new Error(`${folder} is not a folder`)
      const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
      return { path, handle: await open(path, flags, FILE_MODE) }
    } catch (error) {
      const again = systemCode(error) === 'ENOENT' || systemCode(error) === 'EEXIST'
      if (!again || attempt >= TRIES) throw error
    }
  }
}

/**
 * Writes the body into a temporary file, on the disk when this resolves, and returns its path. Size and digest are counted on the way
 * in and the size is read back; anything else than what was announced is an error, and nothing stays behind.
 */
export async function writeTemporary(root: string, key: string, body: Body, clock: Clock): Promise<string> {
  const { path, handle } = await create(root, clock)
  try {
    const hash = createHash('sha256')
    const size = await copyHashed(body.open(), handle, [hash], body.size)
    const sha256 = hash.digest('hex')
    if (size !== body.size || sha256 !== body.sha256) throw unlikeAnnounced(join(root, key), body, size, sha256)
    await handle.chmod(FILE_MODE)
    await handle.sync()
    const written = (await handle.stat()).size
    if (written !== body.size) throw unlikeAnnounced(join(root, key), body, written, sha256)
    await handle.close()
    return path
  } catch (error) {
    await handle.close().catch(() => undefined)
    await discard(root, path)
    throw storageFailure('writing', join(root, key), error)
  }
}

function unlikeAnnounced(path: string, body: Body, size: number, sha256: string): PitlaneError {
  const got = size > body.size ? `more than ${body.size} bytes` : `${size} bytes with SHA-256 ${sha256}`
  return new PitlaneError(
    'STORAGE_FAILED',
    `${path}: announced were ${body.size} bytes with SHA-256 ${body.sha256}, but ${got} came; nothing was written`,
    { hint: 'The source changed while it was read, or its disk is faulty.' },
  )
}

const text = Buffer.from('written to see whether that can be done\n')
const PROBE: Body = {
  size: text.length,
  sha256: sha256Of(text),
  open: () => Readable.from([text]),
}

/** Writes a file and removes it. */
export async function tryWriting(root: string, clock: Clock): Promise<void> {
  await discard(root, await writeTemporary(root, 'a probe', PROBE, clock))
}

/** Removes a temporary file, and the folder when it was the last one. Failing to tidy up never hides what happened before. */
export async function discard(root: string, path: string): Promise<void> {
  await unlink(path).catch(() => undefined)
  await rmdir(join(root, TEMPORARY)).catch(() => undefined)
}

/** Removes temporary files that a crash left behind more than a day ago. */
export async function removeStale(root: string, now: number): Promise<void> {
  for (const name of await staleFiles(root, now)) await unlink(join(root, name)).catch(() => undefined)
}

/** Their names below the bucket's root, sorted. */
export async function staleFiles(root: string, now: number): Promise<readonly string[]> {
  const stale: string[] = []
  for (const name of (await namesIn(join(root, TEMPORARY))).toSorted()) {
    const facts = await lstat(join(root, TEMPORARY, name)).catch(() => null)
    if (facts !== null && now - facts.mtimeMs > STALE) stale.push(`${TEMPORARY}/${name}`)
  }
  return stale
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (isAbsent(error)) return []
    throw error
  }
}
