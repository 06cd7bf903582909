/** Key files on disk. */
import { constants } from 'node:fs'
import { type FileHandle, link, lstat, mkdir, mkdtemp, open, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { machineHint, PitlaneError, systemCode } from '../../errors.ts'
import { syncFolder } from '../../files/whole-files.ts'
import { requireWritableFolder } from '../../files/writable.ts'
import type { KeyFiles } from './keys.ts'
import { FILE_LIMIT } from './minisign-text.ts'

export const keyFiles: KeyFiles = {
  async read(path) {
    let handle: FileHandle
    try {
      handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return null
      throw unreadable(path, error)
    }
    try {
      const stat = await handle.stat()
      if (!stat.isFile()) throw new PitlaneError('KEY_INVALID', `${path} is not a regular file`)
      if (stat.size > FILE_LIMIT)
        throw new PitlaneError('KEY_INVALID', `${path} has ${stat.size} bytes, too many for a key`)
      return { text: await handle.readFile('utf8'), mode: stat.mode & 0o7777 }
    } catch (error) {
      throw error instanceof PitlaneError ? error : unreadable(path, error)
    } finally {
      await handle.close()
    }
  },

  async create(path, text) {
    const folder = dirname(path)
    try {
      await refuseFolder(path)
      // Node's answer for several folders at once does not say why it can't be.
      await requireWritableFolder(folder)
      await mkdir(folder, { recursive: true, mode: 0o700 })
      // Linking a finished file is whole and exclusive at once: a crash never leaves half a key under the name.
      const temporary = await mkdtemp(join(folder, '.key-'))
      try {
        await writeSecret(join(temporary, 'key'), text)
        await linkNew(join(temporary, 'key'), path)
      } finally {
        await rm(temporary, { recursive: true, force: true })
      }
      await syncFolder(folder)
    } catch (error) {
      if (error instanceof PitlaneError) throw error
      throw new PitlaneError('STORAGE_FAILED', `cannot write ${path}: ${messageOf(error)}`, {
        hint: `${machineHint(error) ?? 'Look at the disk that holds it.'} Or choose another place with --output.`,
        cause: error,
      })
    }
  },
}

async function refuseFolder(path: string): Promise<void> {
  const found = await lstat(path).catch(() => null)
  if (found?.isDirectory() !== true) return
  throw new PitlaneError('FILE_EXISTS', `${path} is a folder, and a key is a file`, {
    hint: `Name the file, too: ${join(path, 'NAME.key')}`,
  })
}

async function linkNew(from: string, path: string): Promise<void> {
  try {
    await link(from, path)
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
    throw new PitlaneError('FILE_EXISTS', `${path} exists; a key is never overwritten`, {
      hint: 'Who lost a key can no longer sign as before: move the file away only when that is what you want.',
    })
  }
}

async function writeSecret(path: string, text: string): Promise<void> {
  const handle = await open(path, 'wx', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function unreadable(path: string, error: unknown): PitlaneError {
  return new PitlaneError('KEY_INVALID', `${path} cannot be read: ${messageOf(error)}`, {
    hint: machineHint(error) ?? 'Look whether you may read it.',
    cause: error,
  })
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
