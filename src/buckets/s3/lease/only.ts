/** The lease where the server honours conditions: one object, written only where it is absent, or as it was read. */
import { type Holding, LEASES, type LeaseTimes } from './lease.ts'
import { holderIn, idIn, type LeaseStore, leaseText } from './store.ts'

const NAME = LEASES

export function onlyObject(
  store: LeaseStore,
  times: LeaseTimes,
  who: { readonly holder: string; readonly id: string },
): Holding {
  let count = 0
  let tag: string | null = null
  const write = async (onlyIf: { readonly tag: string | null }): Promise<boolean> => {
    count += 1
    const written = await store.write(NAME, leaseText(who.holder, who.id, count), onlyIf)
    if (written !== null) tag = written.tag
    return written !== null
  }
  return {
    async take() {
      if (await write({ tag: null })) return null
      const there = await store.read(NAME)
      // Released in between: the next look takes it.
      if (there === null) return 'another process'
      if (there.text === leaseText(who.holder, who.id, count)) {
        // Ours: the answer to an earlier attempt was lost.
        tag = there.tag
        return null
      }
      // A process of ours that died: there is never another one that lives.
      if (idIn(there.text) === who.id && (await write({ tag: there.tag }))) return null
      const over = there.now - there.writtenAt > times.life && (await write({ tag: there.tag }))
      return over ? null : holderIn(there.text)
    },
    async renew() {
      if (await write({ tag })) return true
      // The answer to an earlier renewal was lost: nobody else has this id.
      const there = await store.read(NAME)
      if (there === null || idIn(there.text) !== who.id) return false
      tag = there.tag
      return true
    },
    async drop() {
      // Another's, once it was taken over.
      if ((await store.read(NAME))?.tag === tag) await store.remove(NAME)
    },
  }
}
