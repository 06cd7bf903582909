import assert from 'node:assert/strict'
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { BEGIN, handMadeSite, ONE } from '../../../test/world/hand-made-site.ts'
import type { Bucket } from '../../buckets/types.ts'
import { DEFAULT_CHANNELS } from '../../plan/channel.ts'
import { KEYS } from '../../plan/keys.ts'
import { contradiction } from '../contradictions.ts'
import { settledStanding } from '../lists/standing.ts'
import { applyAdoption } from './apply.ts'
import { planAdoption } from './plan.ts'

const never = new AbortController().signal

interface Disturbed {
  /** Written to when everything is planned. */
  readonly wrote?: string
  /** Which the bucket has other bytes of by the time it is put. */
  readonly taken?: string
}

/** A bucket with so many old versions, adopted. */
async function adopted(t: TestContext, versions: number, { wrote, taken }: Disturbed = {}) {
  const site = await handMadeSite(t)
  const bucket = join(site.root, 'bucket')
  const put = (version: string, target: string) => {
    const path = join(bucket, KEYS.binary(version, target, 'toy'))
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, version)
    utimesSync(path, BEGIN / 1000, BEGIN / 1000)
  }
  for (let version = 0; version < versions; version += 1) put(`v1.0.${version}`, ONE)
  let transactions = 0
  const writer: typeof site.lists.writer = {
    db: site.lists.writer.db,
    write: (work, options) => {
      transactions += 1
      return site.lists.writer.write(work, options)
    },
  }
  const lists = {
    ...site.lists,
    writer,
    bucket: taken === undefined ? site.lists.bucket : without(site.lists.bucket, taken),
  }
  const parts = { lists, channels: DEFAULT_CHANNELS, digest: false, actor: 'Mira', pitlaneVersion: '0.1.0' }
  const plan = await planAdoption(parts, await settledStanding(lists))
  if (wrote !== undefined) writeFileSync(join(bucket, wrote), 'more')
  const done = await applyAdoption(parts, plan, never, () => undefined)
  const states = await writer.db.selectFrom('operations').select('state').distinct().execute()
  return { ...site, bucket, done, transactions, states: states.map(({ state }) => state) }
}

function without(bucket: Bucket, taken: string): Bucket {
  const put: Bucket['put'] = async (key, body, options) => {
    if (key === taken) throw contradiction(key, 'theirs', 'ours')
    return bucket.put(key, body, options)
  }
  return new Proxy(bucket, {
    get: (_, name: keyof Bucket) =>
      name === 'put' ? put : typeof bucket[name] === 'function' ? bucket[name].bind(bucket) : bucket[name],
  })
}

test('many versions cost as many transactions as one, and everything is confirmed', async (t) => {
  const one = await adopted(t, 1)
  const many = await adopted(t, 20)
  assert.equal(many.done.documents.length, 20)
  assert.equal(many.index().releases.length, 20)
  assert.equal(many.transactions, one.transactions)
  assert.deepEqual([one.states, many.states], [['done'], ['done']])
})

test('a version that somebody writes to meanwhile, and one whose document is taken, keep no other from being adopted', async (t) => {
  const { done, states } = await adopted(t, 5, {
    wrote: `${KEYS.folder('v1.0.1')}more`,
    taken: KEYS.document('v1.0.3'),
  })
  assert.deepEqual(
    done.documents.map(({ version }) => version),
    ['v1.0.0', 'v1.0.2', 'v1.0.4'],
  )
  assert.deepEqual(done.refused, [
    { version: 'v1.0.1', reason: 'somebody else wrote to it meanwhile' },
    { version: 'v1.0.3', reason: `${KEYS.document('v1.0.3')} exists with other bytes` },
  ])
  // Only what was put is confirmed.
  assert.deepEqual(states.toSorted(), ['done', 'started'])
})
