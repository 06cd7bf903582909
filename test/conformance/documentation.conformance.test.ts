// A documentation site of some hundred files on real S3 servers: what each is served as, that only what changed is put, and what goes when.
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { HeadObjectCommand } from '@aws-sdk/client-s3'
import { collectFolder } from '../../src/artifact/collect-folder.ts'
import { contentStore } from '../../src/artifact/content.ts'
import { parseS3Address } from '../../src/buckets/address.ts'
import { s3Bucket } from '../../src/buckets/s3/bucket.ts'
import { s3Client } from '../../src/buckets/s3/client.ts'
import type { Bucket } from '../../src/buckets/types.ts'
import { systemClock } from '../../src/clock.ts'
import { openSqlite } from '../../src/database/sqlite.ts'
import { takeOver } from '../../src/database/writer.ts'
import { renderSite } from '../../src/pages/site.ts'
import { KEYS } from '../../src/plan/keys.ts'
import { publishSite } from '../../src/release/documentation/publish-site.ts'
import { documentCheck } from '../../src/release/documents.ts'
import type { ListParts } from '../../src/release/lists/list-parts.ts'
import { parsePublicKey } from '../../src/release/keys/public-key.ts'
import { runProgram } from '../world/program.ts'
import { signerOf } from '../world/signed-site.ts'
import { makeWorld, PUBLIC_KEY } from '../world/toy.ts'
import { garage, startGarage } from './peers/garage.ts'
import type { S3Server } from './peers/s3.ts'
import { temporaryFolder } from './peers/server.ts'
import { startVersitygw, versitygw } from './peers/versitygw.ts'
import { unmetered } from '../../src/run/meter.ts'

const DAY = 86_400_000
const BEGIN = Date.UTC(2026, 2, 1)
const QUICK = { life: 3000, settling: 300, poll: 50 }
const CHAPTERS = 300
const never = new AbortController().signal
const ENTRY = fileURLToPath(new URL('../../bin/pitlane-dev.ts', import.meta.url))
const JSX = fileURLToPath(new URL('../../scripts/jsx.ts', import.meta.url))

const servers: S3Server[] = []
for (const { name, peer, start } of [
  { name: 'versitygw', peer: versitygw(), start: startVersitygw },
  { name: 'Garage', peer: garage(), start: startGarage },
])
  if ('absent' in peer) test(name, { skip: peer.absent }, () => {})
  else servers.push(await start(peer.program))
after(async () => {
  for (const server of servers) await server.stop()
})

for (const server of servers) {
  test(`${server.name}: a release with its documentation is served as what it is, verifies, and is there the second time`, async (t) => {
    const { client, bucket, web, world, pitlane } = await released(t, server)
    assert.match(await pitlane('release', 'v1.0.0'), /documentation: new pages {2}\(30[0-9]\)/)
    const verified = await pitlane('verify', 'v1.0.0', '--from', web.url, '--no-images', '--key', PUBLIC_KEY)
    assert.match(verified, /ok {7}documentation in docs\/, which is of v1\.0\.0/)
    const served = async (Key: string) => {
      const { ContentType, CacheControl } = await client.send(new HeadObjectCommand({ Bucket: bucket, Key }))
      return [ContentType, CacheControl]
    }
    const kept = 'public, max-age=31536000, immutable'
    for (const [name, type] of [
      ['index.html', 'text/html; charset=utf-8'],
      ['css/a.css', 'text/css; charset=utf-8'],
      ['a.js', 'text/javascript; charset=utf-8'],
      ['logo.svg', 'image/svg+xml'],
      ['font.woff2', 'font/woff2'],
      ['sitemap.xml', 'application/xml; charset=utf-8'],
      ['größe und mehr/naïve.txt', 'text/plain; charset=utf-8'],
      ['LICENSE', 'application/octet-stream'],
    ] as const) {
      assert.deepEqual(await served(`docs/${name}`), [type, 'no-cache'], name)
      assert.deepEqual(await served(`docs/v1.0.0/${name}`), [type, kept], name)
    }
    const page = await fetch(
      `${web.url}/docs/${encodeURIComponent('größe und mehr')}/${encodeURIComponent('naïve.txt')}`,
    )
    assert.equal(await page.text(), 'x')
    if (server.name === 'Garage')
      assert.equal((await fetch(`${web.url}/docs/index.html`)).headers.get('content-type'), 'text/html; charset=utf-8')
    assert.deepEqual(web.notFound, [])
    // The same by hand, from what the build would leave: nothing to put.
    const env = { VERSION: 'v1.0.0', RELEASES_PAGE: `${web.url}/${KEYS.page}` }
    await runProgram('sh', ['doc.sh'], { cwd: world.project, env: { ...world.env, ...env } })
    const again = JSON.parse(await pitlane('publish', 'site', 'site', '--version', 'v1.0.0', '--json')) as {
      state: string
      put: unknown[]
    }
    assert.deepEqual([again.state, again.put], ['present', []])
    assert.match(await pitlane('release', 'v1.0.0'), /v1\.0\.0 is already published/)
    assert.match(await pitlane('pages', 'rebuild'), /are what the documents say/)
  })

  test(`${server.name}: only what changed is put, nothing the second time, and what vanished goes after a week`, async (t) => {
    const { publish, puts, bucket } = await byHand(t, server)
    const site = siteFiles('one')
    await publish(site, BEGIN)
    assert.equal(puts().filter((key) => key.startsWith('docs/')).length, Object.keys(site).length)
    assert.equal(
      puts().findLast((key) => key.startsWith('docs/')),
      'docs/index.html',
    )
    await publish(site, BEGIN + DAY)
    assert.deepEqual(puts(), [])
    const { 'chapter-1.html': _, 'chapter-2.html': __, ...rest } = site
    await publish({ ...rest, 'chapter-3.html': 'changed', 'new.css': 'new' }, BEGIN + 2 * DAY)
    assert.deepEqual(
      puts().filter((key) => key.startsWith('docs/')),
      ['docs/new.css', 'docs/chapter-3.html'],
    )
    await publish({ ...rest, 'chapter-3.html': 'changed', 'new.css': 'new' }, BEGIN + 8 * DAY)
    assert.ok(await bucket.head('docs/chapter-1.html'))
    const change = await publish({ ...rest, 'chapter-3.html': 'changed', 'new.css': 'new' }, BEGIN + 9 * DAY)
    assert.deepEqual(change?.remove, ['docs/chapter-1.html', 'docs/chapter-2.html'])
    assert.equal(await bucket.head('docs/chapter-1.html'), null)
    const keys: string[] = []
    for await (const { key } of bucket.list('docs/')) keys.push(key)
    assert.equal(keys.length, Object.keys(site).length - 1)
  })
}

function siteFiles(version: string): Record<string, string> {
  const chapters = Array.from({ length: CHAPTERS }, (_, at) => [`chapter-${at}.html`, `<p>chapter ${at}`])
  return { 'index.html': version, 'css/a.css': 'a {}', 'a.js': '0', ...(Object.fromEntries(chapters) as object) }
}

/** A project whose documentation goes to that server. */
async function released(t: TestContext, server: S3Server) {
  const bucket = `documentation-${servers.indexOf(server)}`
  await server.makeBucket(bucket)
  const web = await server.readBucket(bucket)
  const location = `s3://${bucket}?endpoint=${server.url}&region=${server.region}`
  const world = makeWorld(`name: toy
checks: [{ name: unit, run: grep -q toy source.txt }]
release:
  targets: [x86_64-unknown-linux-musl]
  build: { run: sh toycc.sh, binary: out/$TARGET/toy }
  documentation: { run: sh doc.sh, folder: site, versions: true }
publish: { bucket: '${location}', public: '${web.url}' }
`)
  const client = s3Client(parseS3Address(location), { ca: null, credentials: credentialsOf(server) })
  t.after(async () => {
    client.destroy()
    world.remove()
    await web.stop()
  })
  world.write(
    'doc.sh',
    `set -eu
mkdir -p site/css 'site/größe und mehr'
printf '<a href="%s#%s">releases</a>' "$RELEASES_PAGE" "$VERSION" > site/index.html
printf x | tee site/css/a.css site/a.js site/logo.svg site/font.woff2 site/sitemap.xml site/LICENSE > 'site/größe und mehr/naïve.txt'
for i in $(seq ${CHAPTERS}); do printf '<p>chapter %s' "$i" > "site/chapter-$i.html"; done
`,
  )
  world.commit('Documentation')
  world.git('tag', '--force', 'v1.0.0')
  const pitlane = async (...args: string[]) => {
    const { accessKeyId, secretAccessKey } = credentialsOf(server)
    const env = {
      ...world.env,
      LC_ALL: 'C.UTF-8',
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    }
    const all = ['--disable-warning=ExperimentalWarning', '--import', JSX, ENTRY, ...args]
    const { status, stdout, stderr } = await runProgram(process.execPath, all, { cwd: world.project, env })
    assert.equal(status, 0, stdout + stderr)
    return stdout
  }
  return { client, bucket, web, world, pitlane }
}

const credentialsOf = ({ accessKey, secretKey }: S3Server) => ({ accessKeyId: accessKey, secretAccessKey: secretKey })

/** A site that is put by hand, on any day. */
async function byHand(t: TestContext, server: S3Server) {
  const name = `by-hand-${servers.indexOf(server)}`
  await server.makeBucket(name)
  const address = parseS3Address(`s3://${name}/toy?endpoint=${server.url}&region=${server.region}`)
  const client = s3Client(address, { ca: null, credentials: credentialsOf(server) })
  const folder = temporaryFolder('documentation')
  const db = await openSqlite(join(folder.path, 'state.sqlite'))
  t.after(async () => {
    client.destroy()
    await db.destroy()
    folder.remove()
  })
  const bucket = s3Bucket({ address, client, clock: systemClock, threshold: 1024 * 1024, leaseTimes: QUICK })
  let put: string[] = []
  const watched = new Proxy<Bucket>(bucket, {
    get(target, key) {
      if (key === 'put')
        return (...args: Parameters<Bucket['put']>) => {
          put.push(args[0])
          return target.put(...args)
        }
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
  let now = BEGIN
  const signer = signerOf(7)
  const lists: ListParts = {
    bucket: watched,
    place: 's3',
    registry: null,
    signer,
    check: documentCheck(parsePublicKey(signer.publicKey.line, 'test')),
    render: renderSite,
    documentation: null,
    name: 'toy',
    baseUrl: 'https://releases.example.org',
    note: () => undefined,
    clock: { ...systemClock, now: () => now },
    metering: unmetered,
    writer: await takeOver(db),
    async exclusively(work) {
      const request = { owner: name, wait: 30_000, onWait: () => {}, onUnsupported: () => {}, signal: never }
      const lease = await bucket.lease(request)
      return work().finally(() => lease.release())
    },
  }
  let sites = 0
  return {
    bucket,
    publish: async (site: Readonly<Record<string, string>>, at: number) => {
      now = at
      sites += 1
      const content = contentStore(join(folder.path, 'content'), systemClock)
      for (const [path, text] of Object.entries(site)) {
        const file = join(folder.path, `site-${sites}`, path)
        mkdirSync(dirname(file), { recursive: true })
        writeFileSync(file, text)
      }
      const files = await collectFolder(folder.path, `site-${sites}`, content)
      put = []
      return publishSite(lists, never, { files, version: null, open: (sha256) => content.open(sha256) })
    },
    /** Keys in the order in which they were put since; leases left out. */
    puts: (): readonly string[] => put.filter((key) => !key.startsWith('.pitlane')),
  }
}
