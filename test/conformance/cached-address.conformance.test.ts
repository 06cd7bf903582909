// Releases whose public address is a cache: it shows pages of half a minute ago, and remembers for ten minutes what was not there.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { after, before, describe, test } from 'node:test'
import { KEYS } from '../../src/plan/keys.ts'
import { PUBLIC_KEY } from '../world/toy.ts'
import { distribution, startDistribution } from './peers/distribution.ts'
import { nginx, startCache } from './peers/nginx.ts'
import { startVersitygw, versitygw } from './peers/versitygw.ts'
import { pitlane, type Published, publishingTo, stop } from './publishing.ts'

const peers = { s3: versitygw(), registry: distribution(), cache: nginx() }
const absent = Object.values(peers).flatMap((peer) => ('absent' in peer ? [peer.absent] : []))

describe('behind a cache', { skip: absent[0] ?? false }, () => {
  let on: Published
  let cache: Awaited<ReturnType<typeof startCache>>
  before(async () => {
    assert.ok('program' in peers.s3 && 'program' in peers.registry && 'program' in peers.cache)
    const { program } = peers.cache
    const servers = [await startVersitygw(peers.s3.program), await startDistribution(peers.registry.program)] as const
    on = await publishingTo(...servers, async (web) => {
      cache = await startCache(program, web.url)
      return cache.url
    })
  })
  after(async () => {
    await cache.stop()
    await stop(on)
  })

  async function done(...args: string[]): Promise<string> {
    const { status, stdout, stderr } = await pitlane(on, ...args)
    assert.equal(status, 0, stdout + stderr)
    return stdout
  }

  /** What the cache remembers as not there, without what asked whether it had started. */
  const remembered = () => on.web.notFound.filter((path) => path !== '/-')
  const shown = async (key: string) => {
    const answer = await fetch(`${cache.url}/${key}`)
    return { how: answer.headers.get('x-cache'), text: await answer.text() }
  }

  test('nothing asks for a name before it is there', async () => {
    await done('release', 'v1.0.0')
    assert.deepEqual(remembered(), [])
    await done('verify', 'v1.0.0', '--from', cache.url, '--key', PUBLIC_KEY)
    const page = await shown(KEYS.page)
    assert.equal(page.how, 'HIT', 'the cache keeps nothing: this shows nothing')
  })

  test('pages that are old are waited for, in words, and the next release ends right', async () => {
    on.world.write('source.txt', 'the source of toy, once more\n')
    on.world.commit('A second toy')
    on.world.git('tag', 'v1.1.0')
    assert.equal((await shown(KEYS.index)).how, 'HIT')
    const output = await done('release', 'v1.1.0')
    assert.match(output, new RegExp(`waiting for ${cache.url} to show `))
    assert.match((await shown(KEYS.page)).text, /v1\.1\.0/)
    await done('verify', 'v1.1.0', '--from', cache.url, '--key', PUBLIC_KEY)
    assert.deepEqual(remembered(), [])
  })

  test('a version is withdrawn at once; until readers are shown it, an audit says what they are shown', async () => {
    assert.equal((await shown(KEYS.page)).how, 'HIT')
    await done('releases', 'withdraw', 'v1.1.0', '--reason', 'loses data', '--superseded-by', 'v1.0.0')
    const early = await pitlane(on, 'audit')
    assert.equal(early.status, 1, early.stderr)
    const lines = early.stdout.trimEnd().split('\n')
    assert.ok(lines.some((line) => line.includes(KEYS.page)))
    for (const line of lines) assert.match(line, /^public .*: a cache may keep an older one$/)
    for (let tries = 0; (await pitlane(on, 'audit')).status !== 0; tries += 1) {
      assert.ok(tries < 60)
      await sleep(1000)
    }
    assert.match((await shown(KEYS.page)).text, /loses data/)
    assert.deepEqual(remembered(), [])
  })
})
