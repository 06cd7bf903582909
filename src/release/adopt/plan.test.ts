import assert from 'node:assert/strict'
import { test } from 'node:test'
import { counted } from '../../../test/world/counted.ts'
import { signedSite } from '../../../test/world/signed-site.ts'
import { DEFAULT_CHANNELS } from '../../plan/channel.ts'
import { KEYS } from '../../plan/keys.ts'
import { TARGETS } from '../../plan/targets.ts'
import { readStanding } from '../lists/standing.ts'
import { planAdoption } from './plan.ts'

const TARGET = TARGETS[0]?.triple ?? ''

test('what is asked for does not grow with the versions that are found, also where it is not clear whose the bucket is', async (t) => {
  const { parts, write, read, at: setClock } = await signedSite(t)
  setClock(Date.now())
  const asked = async (count: number, from: number) => {
    for (let at = from; at < from + count; at += 1) write(KEYS.binary(`v0.${at}.0`, TARGET, 'toy'), 'toy')
    const bucket = counted(parts.bucket)
    const lists = { ...parts, bucket }
    const adopting = { lists, channels: DEFAULT_CHANNELS, digest: false, actor: 'Mira', pitlaneVersion: '0.1.0' }
    const { adopt } = await planAdoption(adopting, await readStanding(lists))
    assert.equal(adopt.length, from + count)
    return bucket.asked().length
  }
  const few = await asked(1, 0)
  assert.equal(await asked(60, 1), few)
  // Somebody has put the list of another project there.
  write(KEYS.index, read(KEYS.index).replace('"name": "toy"', '"name": "other"'))
  const doubtful = await asked(1, 61)
  assert.equal(await asked(60, 62), doubtful)
})
