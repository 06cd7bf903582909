// What is asked of real S3 servers for lists: one that honours conditional writes, and one that ignores them.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test, type TestContext } from 'node:test'
import { parseS3Address } from '../../src/buckets/address.ts'
import { s3Bucket } from '../../src/buckets/s3/bucket.ts'
import { s3Client } from '../../src/buckets/s3/client.ts'
import { systemClock } from '../../src/clock.ts'
import { openSqlite } from '../../src/database/sqlite.ts'
import { takeOver } from '../../src/database/writer.ts'
import { exampleDocument } from '../../src/pages/fixtures/documents.ts'
import { renderSite } from '../../src/pages/site.ts'
import { KEYS } from '../../src/plan/keys.ts'
import { bodyOf } from '../../src/release/digest.ts'
import { encodeDocument } from '../../src/release/document.ts'
import { documentCheck } from '../../src/release/documents.ts'
import { documentMemory } from '../../src/release/lists/document-memory.ts'
import { putLists } from '../../src/release/lists/listing.ts'
import type { ListParts } from '../../src/release/lists/list-parts.ts'
import { checkPages, rebuildPages } from '../../src/release/lists/rebuild-pages.ts'
import { parseSiteIndex } from '../../src/release/lists/site-index.ts'
import { signDocument } from '../../src/release/put-operations.ts'
import { changeState } from '../../src/release/states/change-state.ts'
import { REPLACE } from '../contracts/bucket.contract.ts'
import { never, signerOf, siteKey } from '../world/signed-site.ts'
import { startFaultProxy } from './peers/fault-proxy.ts'
import { garage, startGarage } from './peers/garage.ts'
import type { S3Server } from './peers/s3.ts'
import { temporaryFolder } from './peers/server.ts'
import { startVersitygw, versitygw } from './peers/versitygw.ts'
import { unmetered } from '../../src/run/meter.ts'

/** More than are listed in one stretch. */
const RELEASES = 120
const signer = signerOf(7)

async function bucketOf(t: TestContext, server: S3Server, name: string) {
  const proxy = await startFaultProxy(server.url)
  const folder = temporaryFolder('refresh')
  await server.makeBucket(name)
  const place = `s3://${name}/p?endpoint=${proxy.url}&region=${server.region}`
  const address = parseS3Address(place)
  const credentials = { accessKeyId: server.accessKey, secretAccessKey: server.secretKey }
  const client = s3Client(address, { ca: null, credentials })
  t.after(async () => {
    client.destroy()
    await proxy.stop()
    folder.remove()
  })
  const bucket = s3Bucket({ address, client, clock: systemClock })
  /** Another machine, or this one with the next command. */
  const machine = async (state: string): Promise<() => ListParts> => {
    const db = await openSqlite(join(folder.path, `${state}.sqlite`))
    t.after(() => db.destroy())
    const writer = await takeOver(db)
    return () => ({
      bucket: s3Bucket({ address, client, clock: systemClock }),
      place,
      registry: null,
      note: () => undefined,
      signer,
      check: documentCheck(siteKey()),
      render: renderSite,
      documentation: null,
      name: 'toy',
      baseUrl: 'https://releases.example.org',
      clock: systemClock,
      writer,
      metering: unmetered,
      memory: documentMemory(join(folder.path, `${state}.documents`), '1.0.0'),
      exclusively: (work) => work(),
    })
  }
  /** A release without files. */
  const put = async (version: string) => {
    const key = KEYS.document(version)
    const signing = { scheme: 'minisign' as const, publicKey: signer.publicKey.line, keyId: signer.keyId }
    const bytes = encodeDocument({ ...exampleDocument(version), name: 'toy', signing, files: [], image: null })
    for (const side of [...signDocument(signer, 'toy', version, key, bytes), { key, bytes }])
      await bucket.put(side.key, bodyOf(side.bytes), REPLACE)
    return bytes
  }
  const refresh = async (parts: ListParts, version: string) => {
    const { writer } = parts
    await putLists(
      parts,
      { writer, bucket: parts.bucket, registry: null, version, title: version, metering: unmetered, stop: never },
      0,
    )
  }
  const index = async () => parseSiteIndex((await bucket.read(KEYS.index, 1e8)) ?? Buffer.alloc(0), KEYS.index)
  /** Since it was last asked. */
  const asked = () => {
    const seen = proxy.seen()
    return {
      writes: seen
        .filter(({ method }) => !['GET', 'HEAD'].includes(method))
        .map(({ method, url }) => `${method} ${url}`),
      documents: seen
        .filter(({ method, url }) => method === 'GET' && /\/_releases\/v[^/?]+\/release/.test(url))
        .map(({ url }) => url.replace(/.*_releases\/|\?.*/g, '')),
    }
  }
  return { bucket, machine, put, refresh, index, asked }
}

function refreshingOn(server: S3Server): void {
  test(`${server.name}: what has not changed is not read, what has is noticed, and machines that publish in turn lose nothing of each other`, async (t) => {
    const on = await bucketOf(t, server, 'refreshing')
    const versions = Array.from({ length: RELEASES }, (_, n) => `v1.${n}.0`)
    for (const version of versions) await on.put(version)
    const one = await on.machine('one')
    await rebuildPages(one(), never)
    assert.equal((await on.index()).releases.length, RELEASES)

    on.asked()
    assert.deepEqual(await rebuildPages(one(), never), [])
    assert.deepEqual(on.asked(), { writes: [], documents: [] })

    await on.put('v2.0.0')
    on.asked()
    await on.refresh(one(), 'v2.0.0')
    assert.deepEqual(on.asked().documents.sort(), ['v2.0.0/release.json', 'v2.0.0/release.json.minisig'])

    const other = await on.machine('other')
    const withdrawal = {
      version: 'v1.7.0',
      state: 'withdrawn' as const,
      reason: 'no good',
      supersededBy: null,
      amend: false,
      actor: 'Mira',
    }
    await on.put('v2.1.0')
    await on.refresh(other(), 'v2.1.0')
    await changeState(other(), () => withdrawal, null, never)
    await on.put('v2.2.0')
    on.asked()
    await on.refresh(one(), 'v2.2.0')
    // The first of them was read without a listing, so that nothing showed yet that it is the same.
    const read = new Set(on.asked().documents.map((name) => name.replace(/\/.*/, '')))
    assert.deepEqual(read, new Set(['v2.0.0', 'v2.1.0', 'v2.2.0']))
    const { releases } = await on.index()
    assert.equal(releases.length, RELEASES + 3)
    assert.deepEqual(
      releases.filter(({ withdrawn }) => withdrawn).map(({ version }) => version),
      ['v1.7.0'],
    )
    assert.deepEqual(await checkPages((await on.machine('nothing'))()), [], 'who remembers nothing computes the same')

    const key = KEYS.document('v1.3.0')
    const bytes = (await on.bucket.read(key, 1e6)) ?? Buffer.alloc(0)
    const changed = Buffer.from(bytes.toString('latin1').replace('"stable"', '"stale!"'), 'latin1')
    assert.equal(changed.length, bytes.length)
    await on.bucket.put(key, bodyOf(changed), REPLACE)
    await assert.rejects(rebuildPages(one(), never), { code: 'VERIFICATION_FAILED' })
    await on.bucket.put(key, bodyOf(bytes), REPLACE)
    assert.deepEqual(await rebuildPages(one(), never), [])
  })
}

for (const [peer, start] of [
  [versitygw(), startVersitygw],
  [garage(), startGarage],
] as const) {
  if ('absent' in peer) test(peer.absent, { skip: peer.absent }, () => {})
  else {
    const server = await start(peer.program)
    after(() => server.stop())
    refreshingOn(server)
  }
}
