// Addresses of the newest release, on an S3 server whose website sends readers on (Garage), and on one that only keeps what it is told (versitygw).
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { KEYS } from '../../src/plan/keys.ts'
import { PUBLIC_KEY } from '../world/toy.ts'
import { distribution, startDistribution } from './peers/distribution.ts'
import { garage, startGarage } from './peers/garage.ts'
import { startVersitygw, versitygw } from './peers/versitygw.ts'
import { pitlane, type Published, publishingTo, stop } from './publishing.ts'

const [AMD64, I386] = ['x86_64-unknown-linux-musl', 'i686-unknown-linux-musl'] as const
const registry = distribution()

async function done(on: Published, ...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await pitlane(on, ...args)
  assert.equal(status, 0, stdout + stderr)
  return stdout
}

/** The next version of the project, of these targets. */
async function release(on: Published, version: string, targets: readonly string[]): Promise<string> {
  const text = on.world.git('show', 'HEAD:pitlane.yaml')
  on.world.write('pitlane.yaml', `${text.replace(/targets: \[x86_64[^\]]*\]/, `targets: [${targets.join(', ')}]`)}\n`)
  on.world.write('source.txt', `the source of toy ${version}\n`)
  on.world.commit(version)
  on.world.git('tag', '--force', version)
  return done(on, 'release', version)
}

const peers = { garage: garage(), versitygw: versitygw() }
const absent = [...Object.values(peers), registry].flatMap((peer) => ('absent' in peer ? [peer.absent] : []))

describe('where readers are sent on', { skip: absent[0] ?? false }, () => {
  let on: Published
  before(async () => {
    assert.ok('program' in peers.garage && 'program' in registry)
    on = await publishingTo(await startGarage(peers.garage.program), await startDistribution(registry.program))
  })
  after(() => stop(on))

  const leads = async (target: string, side = '') => {
    const { status, headers } = await fetch(`${on.web.url}/${KEYS.stable(target, 'toy')}${side}`, {
      redirect: 'manual',
    })
    return status === 301 ? (headers.get('location') ?? '').slice(`${on.web.url}/_releases/`.length) : status
  }

  test('the newest release, its checksum and its signature have addresses that stay', async () => {
    const [first] = [await release(on, 'v1.0.0', [AMD64, 'aarch64-unknown-linux-musl', I386])]
    assert.doesNotMatch(first, /sends no readers on/)
    assert.match(await done(on, 'doctor'), /^ok {4}bucket: addresses that stay +readers are sent on/m)
    assert.equal(await leads(AMD64), `v1.0.0/${AMD64}/toy`)
    assert.equal(await leads(AMD64, '.sha256'), `v1.0.0/${AMD64}/toy.sha256`)
    assert.equal(await leads(AMD64, '.minisig'), `v1.0.0/${AMD64}/toy.minisig`)
    const followed = await fetch(`${on.web.url}/${KEYS.stable(AMD64, 'toy')}`)
    const direct = await fetch(`${on.web.url}/${KEYS.binary('v1.0.0', AMD64, 'toy')}`)
    assert.deepEqual(Buffer.from(await followed.arrayBuffer()), Buffer.from(await direct.arrayBuffer()))
    const page = await (await fetch(`${on.web.url}/${KEYS.page}`)).text()
    assert.match(page, /Always the newest/)
    assert.match(
      await done(on, 'verify', 'v1.0.0', '--from', on.web.url, '--key', PUBLIC_KEY),
      /^ok {7}addresses of the newest release lead to it$/m,
    )
  })

  test('they move on, go back behind a withdrawal, and a dropped target has none', async () => {
    await release(on, 'v1.1.0', [AMD64, I386])
    assert.equal(await leads(AMD64), `v1.1.0/${AMD64}/toy`)
    assert.equal(await leads('aarch64-unknown-linux-musl'), 404)
    assert.equal(await leads('aarch64-unknown-linux-musl', '.sha256'), 404)
    await done(on, 'releases', 'rollback', 'stable', '--yes')
    assert.equal(await leads(AMD64), `v1.0.0/${AMD64}/toy`)
    assert.equal(await leads('aarch64-unknown-linux-musl'), 'v1.0.0/aarch64-unknown-linux-musl/toy')
    assert.match(await done(on, 'pages', 'rebuild', '--check'), /are what the documents say/)
    await done(on, 'releases', 'withdraw', 'v1.0.0', '--reason', 'loses data')
    assert.equal(await leads(AMD64), 404)
    await done(on, 'releases', 'restore', 'v1.1.0', '--reason', 'it was the disk')
    assert.equal(await leads(I386), `v1.1.0/${I386}/toy`)
    assert.match(await done(on, 'releases', 'list'), /v1\.1\.0/)
  })

  test('nobody was sent to what is not there, but for what this test asked', () => {
    const own = on.web.notFound.filter((path) => !path.includes('/_latest/'))
    assert.deepEqual(own, [])
  })
})

test('where readers are not sent on, nothing is written, which is said once', {
  skip: absent[0] ?? false,
}, async () => {
  assert.ok('program' in peers.versitygw && 'program' in registry)
  const s3 = await startVersitygw(peers.versitygw.program)
  const on = await publishingTo(s3, await startDistribution(registry.program))
  try {
    const first = await release(on, 'v1.0.0', [AMD64, I386])
    assert.equal(first.match(/sends no readers on/g)?.length, 1, first)
    assert.match(await done(on, 'doctor'), /^ok {4}bucket: addresses that stay +readers are not sent on/m)
    assert.deepEqual(
      (await s3.keys('releases')).filter((key) => key.includes('_latest') || key.startsWith('.pitlane-probe')),
      [],
    )
    const page = await (await fetch(`${on.web.url}/${KEYS.page}`)).text()
    assert.doesNotMatch(page, /_latest/)
    assert.deepEqual(on.web.notFound, [])
  } finally {
    await stop(on)
  }
})
