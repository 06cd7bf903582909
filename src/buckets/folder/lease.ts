/**
 * One publisher at a time in a folder. The lock is the kernel's (`flock`) on the folder itself: no file of it is in the bucket, which holds
 * what an S3 bucket would hold and nothing else; it is the same lock for every user, clone and name of the folder; and it is free as soon as
 * its holder ends, however it ends. Node has no call for it, so that the program `flock` (util-linux, busybox) locks a descriptor that it is
 * handed: the lock belongs to the open folder, which stays open here.
 */
import { spawn } from 'node:child_process'
import { constants } from 'node:fs'
import { type FileHandle, open, readdir, readFile, readlink, realpath, stat } from 'node:fs/promises'
import type { Clock } from '../../clock.ts'
import { PitlaneError, systemCode } from '../../errors.ts'
import type { Lease, LeaseRequest } from '../types.ts'
import { storageFailure } from './failure.ts'

/** Milliseconds between two tries. */
const POLL = 100

/** @throws PitlaneError `BUSY`, `INTERRUPTED`, `STORAGE_FAILED` */
export async function leaseFolder(root: string, request: LeaseRequest, clock: Clock): Promise<Lease> {
  const deadline = clock.monotonic() + request.wait
  let told = false
  for (;;) {
    const handle = await tryLock(root, request)
    if (handle !== null) return { release: () => handle.close() }
    const holder = await holderOf(root)
    if (clock.monotonic() >= deadline) {
      throw new PitlaneError('BUSY', `${holder} is publishing into ${root}`, {
        hint: 'Wait for it to end, or run the command without --no-wait to wait for it.',
      })
    }
    if (!told) request.onWait(holder)
    told = true
    await clock.sleep(POLL, request.signal).catch(() => {
      throw new PitlaneError('INTERRUPTED', `stopped while waiting for ${holder}`, {
        hint: 'Run the same command again: it goes on where it was.',
      })
    })
  }
}

/** The open folder, which is locked as long as it is open; null when somebody else has it. */
async function tryLock(root: string, request: LeaseRequest): Promise<FileHandle | null> {
  let handle: FileHandle
  try {
    handle = await open(root, constants.O_RDONLY | constants.O_DIRECTORY)
  } catch (error) {
    throw storageFailure('locking', root, error)
  }
  try {
    const result = await flock(handle.fd)
    if (result.state === 'unsupported') request.onUnsupported(`${root} can't be locked: ${result.reason}`)
    if (result.state !== 'busy' && (await isStill(root, handle))) return handle
  } catch (error) {
    await handle.close()
    throw storageFailure('locking', root, error)
  }
  await handle.close()
  return null
}

type Flock = { readonly state: 'locked' | 'busy' } | { readonly state: 'unsupported'; readonly reason: string }

function flock(descriptor: number): Promise<Flock> {
  return new Promise((resolve) => {
    // -x exclusive, -n fail instead of waiting; the descriptor is number 3 over there.
    const child = spawn('flock', ['-x', '-n', '3'], {
      // Nothing else of ours is its business.
      env: { PATH: process.env['PATH'] },
      stdio: ['ignore', 'ignore', 'pipe', descriptor],
    })
    let said = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(0, 200)
    })
    child.once('error', (error) => {
      const missing = systemCode(error) === 'ENOENT'
      resolve({ state: 'unsupported', reason: missing ? 'the program flock is missing' : error.message })
    })
    child.once('close', (code) => {
      if (code === 0) resolve({ state: 'locked' })
      else if (code === 1 && said === '') resolve({ state: 'busy' })
      else resolve({ state: 'unsupported', reason: said.trim() || `flock ended with ${code}` })
    })
  })
}

/** Whether the folder is still the one that was locked: another one may stand in its place by now. */
async function isStill(root: string, handle: FileHandle): Promise<boolean> {
  const [locked, there] = await Promise.all([handle.stat(), stat(root)])
  return locked.ino === there.ino && locked.dev === there.dev
}

/** Who has the folder locked, for people: `process 4711 (node pitlane release v1.2.0)`. Other users' processes can't be seen. */
async function holderOf(root: string): Promise<string> {
  const path = await realpath(root).catch(() => root)
  const list = (folder: string) => readdir(folder).catch(() => [])
  for (const pid of await list('/proc')) {
    if (!/^\d+$/.test(pid)) continue
    for (const descriptor of await list(`/proc/${pid}/fd`)) {
      const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => null)
      if (target !== path) continue
      const facts = await readFile(`/proc/${pid}/fdinfo/${descriptor}`, 'utf8').catch(() => '')
      if (/^lock:.*FLOCK/m.test(facts)) return `process ${pid}${await commandOf(pid)}`
    }
  }
  return 'another process'
}

async function commandOf(pid: string): Promise<string> {
  const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  const command = text.replaceAll(/\p{Cc}+/gu, ' ').trim()
  return command === '' ? '' : ` (${command.length > 200 ? `${command.slice(0, 200)}…` : command})`
}
