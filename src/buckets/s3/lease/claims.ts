/**
 * The lease where the server ignores conditions: everybody writes a claim of their own, and the first of them in the order of their names has the
 * bucket. Names begin with a number, one more than the highest that was there (Lamport's bakery algorithm); who has the bucket marks it by a
 * claim that comes before all numbers, so that one who chose the same number and came late still waits.
 *
 * It rests on one assumption: a claim whose writing was begun is seen by everybody `settling` later. Whoever takes longer for one
 * begins again.
 */
import type { Clock } from '../../../clock.ts'
import { PitlaneError } from '../../../errors.ts'
import { type Holding, LEASES, type LeaseTimes } from './lease.ts'
import { holderIn, type LeaseObject, type LeaseStore, leaseText } from './store.ts'

const HELD = `${LEASES}/held-`
const CLAIM = `${LEASES}/n-`
/** Names are ordered as text: one of more digits would come before all others. Numbers begin anew whenever nobody publishes. */
const DIGITS = 9
const LAST = 10 ** DIGITS - 1
/** A busy server or machine is no publisher: what took too long is tried again before anybody is said to be there. */
const TRIES = 5

export function orderedClaims(
  store: LeaseStore,
  clock: Clock,
  times: LeaseTimes,
  who: { readonly holder: string; readonly id: string },
): Holding {
  let count = 0
  let claim: string | null = null
  const held = HELD + who.id
  const write = async (name: string) => {
    count += 1
    await store.write(name, leaseText(who.holder, who.id, count))
  }
  /** Claims that live, ours among them: written a moment ago, it tells what time it is at the server. */
  const living = async (own: string): Promise<readonly LeaseObject[]> => {
    const all = await store.list()
    const now = all.find(({ name }) => name === own)?.writtenAt
    if (now === undefined) return []
    const dead = all.filter(({ writtenAt }) => now - writtenAt > times.life)
    for (const { name } of dead) await store.remove(name)
    return all.filter((object) => !dead.includes(object) && isClaim(object.name))
  }
  const nameHolder = async (name: string) => holderIn((await store.read(name))?.text ?? '')

  /** A claim, or the one that was there, looked at once. `slow`: nothing is known, as one of its requests took too long. */
  async function look(): Promise<'held' | 'slow' | { readonly first: string }> {
    if (claim === null) {
      const begun = clock.monotonic()
      const all = await store.list()
      // What a process of ours left that died: there is never another one that lives.
      for (const { name } of all) if (name === held || name.endsWith(`-${who.id}`)) await store.remove(name)
      const highest = all.reduce((most, { name }) => (numberIn(name) > numberIn(most) ? name : most), '')
      if (numberIn(highest) >= LAST) throw lastNumber(highest)
      const chosen = `${CLAIM}${String(numberIn(highest) + 1).padStart(DIGITS, '0')}-${who.id}`
      await write(chosen)
      claim = chosen
      if (clock.monotonic() - begun > times.settling) return 'slow'
      await clock.sleep(times.settling)
    } else await write(claim)
    const looked = clock.monotonic()
    const first = (await living(claim))[0]
    if (first === undefined) return 'slow'
    if (first.name !== claim) return { first: first.name }
    await write(held)
    if (clock.monotonic() - looked <= times.settling) return 'held'
    // Too slow to be sure that the next one has seen it.
    await store.remove(held)
    return 'slow'
  }

  return {
    async take() {
      for (let tried = 1; tried <= TRIES; tried += 1) {
        const found = await look()
        if (found === 'held') return null
        if (found !== 'slow') return nameHolder(found.first)
        await withdraw()
      }
      return 'another process'
    },
    async renew(late) {
      // Nobody comes before the one that is held, as long as it lives. Whoever takes it away from the dead would not see it come back.
      const alive = !late && (await store.list()).some(({ name }) => name === held)
      if (!alive) return false
      await write(held)
      return true
    },
    async drop() {
      await store.remove(held)
      await withdraw()
    },
  }

  async function withdraw(): Promise<void> {
    if (claim !== null) await store.remove(claim)
    claim = null
  }
}

function lastNumber(name: string): PitlaneError {
  return new PitlaneError('STORAGE_FAILED', `${name} has the last number that a lease can have`, {
    hint: 'Numbers count those who wait at the same time: this one was put there by something else. When nobody is publishing, remove it.',
  })
}

function isClaim(name: string): boolean {
  return name.startsWith(HELD) || name.startsWith(CLAIM)
}

function numberIn(name: string): number {
  const digits = new RegExp(`^${CLAIM}(\\d{${DIGITS}})-`).exec(name)?.[1]
  return digits === undefined ? 0 : Number(digits)
}
