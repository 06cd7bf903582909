// All that a dead process has left of a world, as one digest. What goes on from the same digest, goes on in the same way.
import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { World } from './worlds.ts'

/**
 * Who held the lock, for people; a random number in the journal of the lock's file, which has no pages; and the index of the write-ahead log, which is
 * made anew from the log by the first who opens it. Everything else counts with its bytes, the log with all that was ever appended to it: where a
 * name or a byte is random, the digest is, too.
 */
const LEFT_OUT = /\/\.pitlane\/(lock\.holder|lock-journal|state\.sqlite-shm)$/

export function diskOf(world: World): string {
  const hash = createHash('sha256')
  const names = readdirSync(world.root, { recursive: true, encoding: 'utf8' }).sort()
  for (const name of names) {
    const path = join(world.root, name)
    if (LEFT_OUT.test(path)) continue
    const facts = lstatSync(path)
    hash.update(`${relative(world.root, path)}\0${facts.mode}\0${facts.size}\0`)
    if (facts.isSymbolicLink()) hash.update(readlinkSync(path))
    else if (facts.isFile()) hash.update(readFileSync(path))
  }
  return hash.digest('hex')
}
