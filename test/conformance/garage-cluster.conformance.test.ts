// A release to the model user's own kind of store: three nodes, of which one is down, and then two.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { PUBLIC_KEY } from '../world/toy.ts'
import { distribution, startDistribution } from './peers/distribution.ts'
import { garage, type Garage, startGarage } from './peers/garage.ts'
import { pitlane, type Published, publishingTo, stop } from './publishing.ts'

const peers = { s3: garage(), registry: distribution() }
const absent = Object.values(peers).flatMap((peer) => ('absent' in peer ? [peer.absent] : []))

describe('three nodes', { skip: absent[0] ?? false }, () => {
  let cluster: Garage
  let on: Published
  before(async () => {
    assert.ok('program' in peers.s3 && 'program' in peers.registry)
    cluster = await startGarage(peers.s3.program, 3)
    on = await publishingTo(cluster, await startDistribution(peers.registry.program))
  })
  after(() => stop(on))

  test('with one down a release is published and verifies', async () => {
    await cluster.stopNode()
    const released = await pitlane(on, 'release', 'v1.0.0')
    assert.equal(released.status, 0, released.stdout + released.stderr)
    const verified = await pitlane(on, 'verify', 'v1.0.0', '--from', on.web.url, '--key', PUBLIC_KEY)
    assert.equal(verified.status, 0, verified.stdout + verified.stderr)
  })

  test('with two down nothing can be written: that is said, nothing is shown, and the same command goes on later', async () => {
    on.world.write('source.txt', 'another source of toy\n')
    on.world.commit('Another')
    on.world.git('tag', 'v1.1.0')
    const bringUp = await cluster.stopNode()
    const failed = await pitlane(on, 'release', 'v1.1.0')
    assert.equal(failed.status, 4, failed.stdout)
    assert.match(failed.stderr, /STORAGE_FAILED.* 503[^]*the same command goes on later/)
    await bringUp()
    const page = await fetch(`${on.web.url}/_releases.html`)
    assert.doesNotMatch(await page.text(), /v1\.1\.0/)
    const released = await pitlane(on, 'release', 'v1.1.0')
    assert.equal(released.status, 0, released.stdout + released.stderr)
    const audited = await pitlane(on, 'audit')
    assert.equal(audited.status, 0, audited.stdout + audited.stderr)
  })
})
