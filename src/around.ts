/** What is around this process: its signals, its folder, its machine. */
import { readFileSync } from 'node:fs'
import { EXIT, PitlaneError } from './errors.ts'

/** Ctrl-C: start nothing more and let what runs finish; again: end what runs; a third time: go at once. SIGTERM ends what runs. */
export function stopSignals(process: NodeJS.Process): { readonly drain: AbortSignal; readonly interrupt: AbortSignal } {
  const drain = new AbortController()
  const interrupt = new AbortController()
  let count = 0
  process.on('SIGINT', () => {
    count += 1
    if (count === 1) {
      process.stderr.write('pitlane: stopping: what runs is finished, nothing more is started. Ctrl-C again ends it.\n')
      drain.abort()
    } else if (count === 2) {
      process.stderr.write('pitlane: ending what runs. The same command will go on where it was.\n')
      interrupt.abort()
    } else process.exit(EXIT.interrupted)
  })
  process.on('SIGTERM', () => {
    drain.abort()
    interrupt.abort()
  })
  return { drain: drain.signal, interrupt: interrupt.signal }
}

/** Changes when the machine is restarted. */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
}

export function workingFolder(process: NodeJS.Process): string {
  try {
    return process.cwd()
  } catch (error) {
    throw new PitlaneError('NOT_FOUND', 'the working directory of this shell is gone', {
      hint: 'It was removed or replaced: go into the folder of the project again.',
      cause: error,
    })
  }
}
