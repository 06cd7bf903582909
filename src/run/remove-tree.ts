import { chmod, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode } from '../errors.ts'

/** Removes a folder that steps wrote to. Read-only folders in it (Go's module cache is made of them) are made writable first. */
export async function removeTree(folder: string): Promise<void> {
  const remove = () => rm(folder, { recursive: true, force: true, maxRetries: 2 })
  try {
    await remove()
  } catch (error) {
    const code = systemCode(error)
    if (code !== 'EACCES' && code !== 'EPERM') throw error
    await makeWritable(folder)
    await remove()
  }
}

/** Folders only: they decide whether what is in them can be removed. Links are not followed. */
async function makeWritable(folder: string): Promise<void> {
  await chmod(folder, 0o700)
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await makeWritable(join(folder, entry.name))
  }
}
