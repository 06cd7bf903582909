// What a server that refuses to delete does to those who publish: it is said before anything is visible, and in place of nothing else.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { distribution, startDistribution } from './peers/distribution.ts'
import { type FaultProxy, startFaultProxy } from './peers/fault-proxy.ts'
import { type FolderS3Server, startVersitygw, versitygw } from './peers/versitygw.ts'
import { type Published, pitlane, publishingTo, stop } from './publishing.ts'

const DENIED = '<Error><Code>AccessDenied</Code><Message>no</Message></Error>'
const denied = { answer: { status: 403, headers: { 'content-type': 'application/xml' }, body: DENIED } } as const

function refusing(s3Program: string, registryProgram: string): void {
  let [s3, front, on]: [FolderS3Server?, FaultProxy?, Published?] = []

  before(async () => {
    s3 = await startVersitygw(s3Program)
    front = await startFaultProxy(s3.url)
    on = await publishingTo({ ...s3, url: front.url }, await startDistribution(registryProgram))
  })
  after(async () => {
    if (on !== undefined) await stop(on)
    await front?.stop()
  })

  test('a key without the right to delete is told before anything is out', async () => {
    assert.ok(s3 !== undefined && front !== undefined && on !== undefined)
    front.play({ method: 'DELETE', effect: denied })
    const { status, stderr } = await pitlane(on, 'release', 'v1.0.0')
    assert.equal(status, 4, stderr)
    assert.match(stderr, /deleting a probe failed: 403 AccessDenied[^]*needs to read, write, list and delete/)
    assert.deepEqual(
      (await s3.keys('releases')).filter((key) => !key.startsWith('.pitlane-probe/')),
      [],
    )
    front.play()
    assert.equal((await pitlane(on, 'release', 'v1.0.0')).status, 0)
  })

  test('a lease that can not be given back hides neither what failed nor what was done', async () => {
    assert.ok(front !== undefined && on !== undefined)
    const play = () => front?.play({ method: 'DELETE', path: /\.pitlane-lease/, effect: denied })
    play()
    const failed = await pitlane(on, 'releases', 'withdraw', 'v9.9.9', '--reason', 'none')
    assert.match(failed.stderr, /NOT_FOUND: .* lists no release v9\.9\.9/)
    play()
    const done = await pitlane(on, 'releases', 'withdraw', 'v1.0.0', '--reason', 'a fault')
    assert.equal(done.status, 0, done.stderr)
    assert.match(done.stdout + done.stderr, /the lease could not be given back, and ends by itself: .*403 AccessDenied/)
  })
}

const [s3Peer, registryPeer] = [versitygw(), distribution()]
if ('absent' in s3Peer) test('versitygw', { skip: s3Peer.absent }, () => {})
else if ('absent' in registryPeer) test('distribution', { skip: registryPeer.absent }, () => {})
else describe('a server that refuses to delete', () => refusing(s3Peer.program, registryPeer.program))
