import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LEASE_TIMES } from './lease.ts'
import { onlyObject } from './only.ts'
import type { LeaseStore } from './store.ts'

/** One object. Where an answer is lost, the request is sent again, and its condition does not hold any more. */
function storeOf() {
  let there: { text: string; tag: string } | null = null
  let written = 0
  const server = { isLosing: false, isDown: false, there: () => there }
  const store: LeaseStore = {
    list: () => Promise.resolve([]),
    async read(name) {
      if (server.isDown) throw new Error('down')
      return there && { name, ...there, writtenAt: 0, now: 0 }
    },
    async write(_, text, onlyIf) {
      if (onlyIf !== undefined && (there?.tag ?? null) !== onlyIf.tag) return null
      there = { text, tag: String((written += 1)) }
      return server.isLosing ? null : { tag: there.tag }
    },
    async remove() {
      there = null
    },
  }
  return { store, server }
}

test('a lease whose renewal was written and not answered is still held, renewed and let go of', async () => {
  const { store, server } = storeOf()
  const own = onlyObject(store, LEASE_TIMES, { holder: 'Mira', id: 'a' })
  assert.equal(await own.take(), null)
  server.isLosing = true
  server.isDown = true
  await assert.rejects(own.renew(false))
  server.isDown = false
  assert.equal(await own.renew(false), true)
  server.isLosing = false
  assert.equal(await own.renew(false), true)
  await own.drop()
  assert.equal(server.there(), null)
})

test('one that somebody else has taken over is not', async () => {
  const { store, server } = storeOf()
  const own = onlyObject(store, LEASE_TIMES, { holder: 'Mira', id: 'a' })
  assert.equal(await own.take(), null)
  await store.remove('')
  assert.equal(await onlyObject(store, LEASE_TIMES, { holder: 'Noor', id: 'b' }).take(), null)
  assert.equal(await own.renew(false), false)
  await own.drop()
  assert.match(server.there()?.text ?? '', /Noor/)
})
