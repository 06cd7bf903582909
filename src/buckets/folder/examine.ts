/** Tries what publishing needs of a folder. One that is not there yet is made by the first release, not here. */
import { statfs } from 'node:fs/promises'
import type { Clock } from '../../clock.ts'
import { bad, type Examination, good, weak } from '../../examination.ts'
import { nearestFolder, requireWritableFolder } from '../../files/writable.ts'
import { storageFailure } from './failure.ts'
import { leaseFolder } from './lease.ts'
import { tryWriting } from './temporary.ts'

/** Bytes: less than this, and a release of a few binaries may not fit. */
const ROOM = 1024 ** 3

export async function* examineFolder(root: string, clock: Clock): AsyncIterable<Examination> {
  const there = await nearestFolder(root)
  if (there !== root) {
    yield (await mayWrite(root))
      ? good('reach the bucket', `${root} is not there yet: the first release makes it`)
      : bad('reach the bucket', `${root} is not there, and ${there} may not be written to`, `Make ${there} writable.`)
  } else yield* examineExisting(root, clock)
  yield good('addresses that stay', 'a folder sends no readers on: there will be none')
  const { bavail, bsize } = await statfs(there)
  const free = bavail * bsize
  const detail = `${(free / ROOM).toFixed(1)} GiB free`
  yield free < ROOM ? weak('room', detail, 'Make space on this disk.') : good('room', detail)
}

async function* examineExisting(root: string, clock: Clock): AsyncIterable<Examination> {
  yield good('reach the bucket', root)
  yield await attempt(root, 'write an object', async () => {
    await tryWriting(root, clock)
    return good('write an object', 'written, read back and removed')
  })
  yield await attempt(root, 'lock it', async () => {
    let unsupported: string | null = null
    const request = {
      wait: 0,
      onWait: () => {},
      onUnsupported: (reason: string) => {
        unsupported = reason
      },
      signal: new AbortController().signal,
    }
    const lease = await leaseFolder(root, request, clock)
    await lease.release()
    return unsupported === null
      ? good('lock it', 'two publishers exclude each other')
      : weak('lock it', unsupported, 'Let one publisher run at a time.')
  })
}

async function attempt(root: string, what: string, work: () => Promise<Examination>): Promise<Examination> {
  try {
    return await work()
  } catch (error) {
    const { code, message, hint } = storageFailure(what, root, error)
    return code === 'BUSY' ? good(what, message) : bad(what, message, hint ?? null)
  }
}

function mayWrite(path: string): Promise<boolean> {
  return requireWritableFolder(path).then(
    () => true,
    () => false,
  )
}
