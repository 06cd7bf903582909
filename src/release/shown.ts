/**
 * Between the store and its readers there may be a cache, which shows what was there a while ago. What was written is waited for there, as long
 * as caches usually take; nothing is asked for under a name that was not written yet, because some remember that, too.
 */
import type { Pullable } from '../image/pulling.ts'
import { PitlaneError } from '../errors.ts'
import type { EngineParts, StopSignals } from '../run/parts.ts'
import { wait } from '../run/waiting.ts'
import type { Published } from './verify/verify-document.ts'

/** What people read: the public address, and the registry without a login where that works, else what is written to. */
export interface Readers {
  readonly bucket: Published
  readonly registry: Pullable | null
}

export interface Showing {
  readonly readers: Readers
  readonly engine: Pick<EngineParts, 'clock' | 'report'>
  readonly stop: StopSignals
}

/** Milliseconds: twice what pages are allowed to be kept, and some. */
const WITHIN = 10 * 60_000
const FIRST = 500
const LONGEST = 15_000

/**
 * @param what is waited for, in words, for people
 * @throws PitlaneError `VERIFICATION_FAILED` when it is not shown in time, `INTERRUPTED`
 */
export async function untilShown(
  { engine, readers, stop }: Showing,
  what: string,
  isShown: () => Promise<boolean>,
): Promise<void> {
  const { clock } = engine
  const { location } = readers.bucket
  const waiting = wait(engine, 'address')
  const since = clock.monotonic()
  try {
    for (let pause = FIRST; !(await isShown()); pause = Math.min(pause * 2, LONGEST)) {
      waiting.begin(`${location} to show ${what}`)
      if (clock.monotonic() - since > WITHIN)
        throw new PitlaneError(
          'VERIFICATION_FAILED',
          `${location} does not show ${what} after ${WITHIN / 60_000} minutes, and the bucket has it`,
          {
            hint: 'Is it the public address of this bucket? Does something in between keep old answers? The same command goes on here.',
          },
        )
      if (stop.drain.aborted)
        throw new PitlaneError('INTERRUPTED', `stopped while ${location} did not show ${what} yet`, {
          hint: 'The same command goes on here.',
        })
      await clock.sleep(pause, stop.drain).catch(() => undefined)
    }
  } finally {
    waiting.end()
  }
}
