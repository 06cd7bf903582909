import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Clock } from '../../../clock.ts'
import { orderedClaims } from './claims.ts'
import { LEASES } from './lease.ts'
import { type LeaseObject, type LeaseStore, leaseText } from './store.ts'

const TIMES = { life: 3000, settling: 300, poll: 50 }

/** A server without conditions, each of whose writes takes as long as the next of `writes` says, and then nothing. */
function world(...writes: number[]) {
  let now = 0
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    sleep: async (milliseconds) => void (now += milliseconds),
    random: (bytes) => Buffer.alloc(bytes),
  }
  const objects = new Map<string, LeaseObject & { readonly text: string }>()
  const store: LeaseStore = {
    list: async () => [...objects.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    async read(name) {
      const there = objects.get(name)
      return there === undefined ? null : { ...there, now }
    },
    async write(name, text) {
      now += writes.shift() ?? 0
      objects.set(name, { name, text, tag: `${now}`, writtenAt: now })
      return { tag: `${now}` }
    },
    remove: async (name) => void objects.delete(name),
  }
  const publisher = (id: string) => orderedClaims(store, clock, TIMES, { holder: `publisher ${id}`, id })
  const plant = (name: string) =>
    void objects.set(name, { name, text: leaseText('publisher x', 'x', 1), tag: 'x', writtenAt: now })
  return { publisher, plant, names: () => [...objects.keys()], pass: (milliseconds: number) => (now += milliseconds) }
}

test('a server that is slow for a while is taken for nobody else', async () => {
  // The claim, twice; then the claim in time, and what marks it as held, too late.
  const { publisher } = world(400, 400, 0, 400)
  assert.equal(await publisher('a').take(), null)
})

test('a server that stays too slow is not taken for granted', async () => {
  const { publisher, names } = world(...Array.from({ length: 50 }, () => 400))
  assert.equal(await publisher('a').take(), 'another process')
  assert.deepEqual(names(), [])
})

test('who came first has it, until it is dropped; who gives up is waited for by nobody', async () => {
  const { publisher, names } = world()
  const [a, b, c] = [publisher('a'), publisher('b'), publisher('c')]
  assert.equal(await a.take(), null)
  assert.equal(await b.take(), 'publisher a')
  await b.drop()
  await a.drop()
  assert.equal(await c.take(), null)
  assert.deepEqual(
    names().filter((name) => name.startsWith(`${LEASES}/`) && !name.endsWith('-c')),
    [],
  )
})

test('behind the last number nobody goes on: its name would come before all others', async () => {
  const { publisher, names, plant } = world()
  plant(`${LEASES}/n-999999998-x`)
  const a = publisher('a')
  assert.equal(await a.take(), 'publisher x')
  await assert.rejects(publisher('b').take(), {
    code: 'STORAGE_FAILED',
    message: `${LEASES}/n-999999999-a has the last number that a lease can have`,
    hint: /remove it/,
  })
  assert.deepEqual(names(), [`${LEASES}/n-999999998-x`, `${LEASES}/n-999999999-a`])
})

test('what a dead process of the same owner left is taken over at once; of another, when its life is over', async () => {
  const { publisher, pass } = world()
  assert.equal(await publisher('a').take(), null)
  assert.equal(await publisher('a').take(), null)
  const b = publisher('b')
  assert.equal(await b.take(), 'publisher a')
  await b.drop()
  pass(TIMES.life + 1)
  assert.equal(await publisher('b').take(), null)
})
