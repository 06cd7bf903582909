// What a release asks for while something else of it is on its way, and what it does not, by the points that it comes to.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { KEYS } from '../../src/plan/keys.ts'
import { Runs } from './runs.ts'
import * as worlds from './worlds.ts'

let runs: Runs
let points: readonly string[]

before(async () => {
  runs = await Runs.open()
  const world = worlds.freshWorld()
  const { code, output, points: reached } = await runs.warm(world)
  assert.equal(code, 0, output)
  points = reached
  worlds.removeWorld(world)
})

after(() => runs.close())

/** Where it comes to the first, or the last, point of that kind. */
function first(point: RegExp): number {
  const at = points.findIndex((name) => point.test(name))
  assert.notEqual(at, -1, String(point))
  return at
}
function last(point: RegExp): number {
  first(point)
  return points.findLastIndex((name) => point.test(name))
}

const LOOKED_AT_INDEX = new RegExp(`^bucket\\.head ${KEYS.index} #[0-9]+ before$`)
const PUT = /^(bucket\.put|registry\.put)/

test('before anything is put, all that may stand in the way is looked at at the same time', () => {
  const binary = new RegExp(`^bucket\\.open ${KEYS.binary('v1.0.0', 'x86_64-unknown-linux-musl', 'toy')} #1`)
  const olderList = new RegExp(`^bucket\\.read ${KEYS.garageList} #1 before$`)
  const signature = new RegExp(`^bucket\\.open ${KEYS.document('v1.0.0')}\\.minisig #1 before$`)
  assert.ok(first(olderList) < first(new RegExp(`${binary.source} after$`)))
  assert.ok(first(signature) < first(new RegExp(`${binary.source} after$`)))
  assert.ok(first(new RegExp(`${binary.source} after$`)) < first(PUT))
})

test('what lists are made of is read while the tags go out, and after them whether the release may be listed', () => {
  const tagged = last(/^registry\.putTag .* after$/)
  const meanwhile = points.slice(last(/^registry\.putManifest .* after$/), tagged)
  assert.ok(meanwhile.some((name) => LOOKED_AT_INDEX.test(name)))
  assert.ok(meanwhile.every((name) => !name.startsWith('registry.resolveTag')))
  const resolved = points.findIndex((name, at) => at > tagged && name.startsWith('registry.resolveTag'))
  assert.ok(tagged < resolved && resolved < first(/^bucket\.put _releases\.html /))
})
