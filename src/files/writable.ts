/** Whether something can be put into a folder, found out without leaving anything there. */
import { access, constants } from 'node:fs/promises'
import { dirname } from 'node:path'
import { systemCode } from '../errors.ts'

/** The folder itself, or the nearest one above it that is there: in that one it would be made. */
export async function nearestFolder(path: string): Promise<string> {
  try {
    await access(path)
    return path
  } catch (error) {
    const parent = dirname(path)
    if (systemCode(error) !== 'ENOENT' || parent === path) return path
    return nearestFolder(parent)
  }
}

/** @throws the error of the system call (EACCES, EROFS, ENOTDIR…) for a folder that may not be written to, or not be made */
export async function requireWritableFolder(path: string): Promise<void> {
  // With the dot a file is none.
  await access(`${await nearestFolder(path)}/.`, constants.W_OK | constants.X_OK)
}
