/** Where many small worlds are made: in memory where there is some. A process that dies loses nothing that it wrote, on whatever kind of disk. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const MEMORY = '/dev/shm'
/** Bytes: containers often have less there. */
const NEEDED = 2 ** 30

export const FAST = isFit() ? MEMORY : tmpdir()

/** Steps run programs of their world, which some machines forbid there. */
function isFit(): boolean {
  let folder: string | null = null
  try {
    const { bavail, bsize } = statfsSync(MEMORY)
    if (bavail * bsize < NEEDED) return false
    folder = mkdtempSync(join(MEMORY, 'pitlane-'))
    const program = join(folder, 'program')
    writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 })
    return spawnSync(program).status === 0
  } catch {
    return false
  } finally {
    if (folder !== null) rmSync(folder, { recursive: true, force: true })
  }
}
