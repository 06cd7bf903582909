// Page and lists after one more release, in buckets of many artifacts on a real S3 server (versitygw), beside `mc ls --recursive` of the same bucket.
//
// Four artifacts to a release, each with its checksum and signature: eighteen objects. They are laid into the server's folder behind its back. Ours is what a
// release does at its end: the newest lists are read, whatever they do not name, and all of them are computed and put; from its source, in this process, with a new
// connection and with what this machine remembers read from its file. `pages rebuild` is the whole command. Requests are counted in the server's own log.
//
//     npm run bench -- refresh                               1 000 and 100 000 artifacts
//     PITLANE_BENCH_ARTIFACTS=200000 npm run bench -- refresh
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseS3Address } from '../../src/buckets/address.ts'
import { folderBucket } from '../../src/buckets/folder/bucket.ts'
import { s3Bucket } from '../../src/buckets/s3/bucket.ts'
import { s3Client } from '../../src/buckets/s3/client.ts'
import type { Bucket } from '../../src/buckets/types.ts'
import { systemClock } from '../../src/clock.ts'
import { makeStateFolder, stateFolder } from '../../src/database/folder.ts'
import { openSqlite } from '../../src/database/sqlite.ts'
import { takeOver } from '../../src/database/writer.ts'
import { unmetered } from '../../src/run/meter.ts'
import { exampleDocument, manyDocuments } from '../../src/pages/fixtures/documents.ts'
import { renderSite } from '../../src/pages/site.ts'
import { KEYS } from '../../src/plan/keys.ts'
import { encodeDocument, type ReleaseDocument } from '../../src/release/document.ts'
import { documentCheck } from '../../src/release/documents.ts'
import { parseSecretKey } from '../../src/release/keys/minisign.ts'
import { parsePublicKey } from '../../src/release/keys/public-key.ts'
import { createSigner } from '../../src/release/keys/sign.ts'
import { documentMemory } from '../../src/release/lists/document-memory.ts'
import { putLists } from '../../src/release/lists/listing.ts'
import type { ListParts } from '../../src/release/lists/list-parts.ts'
import { rebuildPages } from '../../src/release/lists/rebuild-pages.ts'
import { signDocument } from '../../src/release/put-operations.ts'
import { mc } from '../conformance/peers/mc.ts'
import { temporaryFolder } from '../conformance/peers/server.ts'
import { startVersitygw, versitygw } from '../conformance/peers/versitygw.ts'
import { makeWorld, SECRET_KEY, type World } from '../world/toy.ts'
import { compare, pitlane, table, wholeProcess } from './measure.ts'

const ARTIFACTS = (process.env['PITLANE_BENCH_ARTIFACTS'] ?? '1000,100000').split(',').map(Number)
const PER_RELEASE = 4
const signer = createSigner(parseSecretKey(SECRET_KEY, 'the test key'))
const key = parsePublicKey(signer.publicKey.line, 'the test key')
const { version: packageVersion } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
const BASE = 'https://downloads.example.org/verifier'

async function measure(artifacts: number, pairs: number): Promise<void> {
  const [server, client] = [versitygw(), mc()]
  if ('absent' in server) throw new Error(server.absent)
  if ('absent' in client) throw new Error(client.absent)
  const logs = temporaryFolder('refresh')
  const log = join(logs.path, 'access.log')
  const s3 = await startVersitygw(server.program, { log })
  await s3.makeBucket('releases')
  const folder = s3.folder('releases')
  const place = `s3://releases?endpoint=${s3.url}&region=${s3.region}`
  const world = makeWorld(configuration(place))
  const login = { AWS_ACCESS_KEY_ID: s3.accessKey, AWS_SECRET_ACCESS_KEY: s3.secretKey }
  Object.assign(process.env, login)
  try {
    const command = { cwd: world.project, env: { ...world.env, ...login } }
    const host = `http://${s3.accessKey}:${s3.secretKey}@${new URL(s3.url).host}`
    const listing = { cwd: world.project, env: { ...world.env, MC_HOST_peer: host } }
    const state = stateFolder(world.project)
    const rebuild = () => pitlane(['pages', 'rebuild'], command)
    const list = () => wholeProcess(client.program, ['ls', '--recursive', 'peer/releases'], listing)
    const what = `${artifacts} artifacts`
    console.log(`${what}: filling the bucket`)
    fill(folder, manyDocuments(artifacts / PER_RELEASE).map(signed))
    makeStateFolder(state)
    // As whoever has published them all has left it, without asking the server for each.
    await withState(world, place, async (parts) => {
      const own = { ...parts, bucket: folderBucket(folder, systemClock) }
      await rebuildPages(own, new AbortController().signal)
    })
    let next = 0
    const refresh = async (): Promise<number> => {
      const version = `v9999.0.${(next += 1)}`
      fill(folder, [signed(exampleDocument(version, { publishedAt: '2026-11-01T00:00:00Z' }))])
      return refreshed(world, place, version)
    }
    const afterOne = await counted(log, refresh)
    const nothing = await counted(log, () => {
      rmSync(state.documents)
      return rebuild()
    })
    const unchanged = await counted(log, rebuild)
    const index = statSync(join(folder, KEYS.index)).size
    table(
      [
        ['what', 'time', 'listings', 'reads', 'looks', 'writes'],
        ['refresh after one more release', ...afterOne],
        ['pages rebuild, remembering nothing', ...nothing],
        ['pages rebuild, unchanged', ...unchanged],
      ],
      `${what}, once each; index.json has ${(index / 1e6).toFixed(1)} MB`,
    )
    await compare(
      [
        { what: `refresh after one release, ${what}`, ours: refresh, peer: list },
        { what: `pages rebuild, unchanged, ${what}`, ours: rebuild, figure: 'time', bound: 1000 },
      ],
      pairs,
    )
  } finally {
    world.remove()
    await s3.stop()
    logs.remove()
  }
}

function configuration(bucket: string): string {
  return `name: verifier
checks: [{ name: nothing, run: 'true' }]
release:
  targets: [x86_64-unknown-linux-musl]
  build: { run: 'true', binary: out/verifier }
publish: { bucket: '${bucket}', public: '${BASE}' }
`
}

function signed(document: ReleaseDocument): ReleaseDocument {
  return {
    ...document,
    image: null,
    signing: { scheme: 'minisign', publicKey: signer.publicKey.line, keyId: signer.keyId },
  }
}

/** As a release leaves them: complete, and an hour old. */
function fill(bucket: string, documents: readonly ReleaseDocument[]): void {
  const tagged: string[] = []
  const put = (path: string, bytes: Buffer) => {
    writeFileSync(join(bucket, path), bytes)
    if (bytes.length > 0) tagged.push(`${createHash('md5').update(bytes).digest('hex')} ${join(bucket, path)}`)
  }
  for (const document of documents) {
    const { name, version, files } = document
    mkdirSync(join(bucket, KEYS.folder(version)), { recursive: true })
    const bytes = encodeDocument(document)
    const at = KEYS.document(version)
    for (const side of signDocument(signer, name, version, at, bytes)) put(side.key, side.bytes)
    put(at, bytes)
    for (const side of ['', '.minisig', '.sig']) put(KEYS.sums(version) + side, Buffer.alloc(0))
    for (const { path, size } of files) {
      mkdirSync(dirname(join(bucket, path)), { recursive: true })
      for (const side of ['.sha256', '.minisig']) put(path + side, Buffer.alloc(0))
      put(path, Buffer.alloc(0))
      // Of the right size, and without a place on the disk.
      truncateSync(join(bucket, path), size)
    }
  }
  // The server keeps the tags of its objects in an attribute, for which Node has no call.
  const { status, stderr } = spawnSync('python3', ['-c', SET_TAGS], { input: tagged.join('\n'), encoding: 'utf8' })
  if (status !== 0) throw new Error(`tags of objects: ${stderr}`)
}

const SET_TAGS = `
import os, sys
for line in sys.stdin:
    tag, path = line.rstrip('\\n').split(' ', 1)
    os.setxattr(path, 'user.etag', ('"%s"' % tag).encode())
`

async function refreshed(world: World, place: string, version: string): Promise<number> {
  let took = 0
  await withState(world, place, async (parts) => {
    const since = performance.now()
    const address = parseS3Address(place)
    const client = s3Client(address, { ca: null })
    const bucket: Bucket = s3Bucket({ address, client, clock: systemClock })
    const stop = new AbortController().signal
    const journal = { writer: parts.writer, bucket, registry: null, version, title: version, metering: unmetered, stop }
    await putLists({ ...parts, bucket }, journal, systemClock.now())
    took = performance.now() - since
    client.destroy()
  })
  return took
}

async function withState(world: World, place: string, work: (parts: Omit<ListParts, 'bucket'>) => Promise<void>) {
  const folder = stateFolder(world.project)
  const db = await openSqlite(folder.database)
  try {
    await work({
      place,
      registry: null,
      signer,
      check: documentCheck(key),
      render: renderSite,
      name: 'verifier',
      baseUrl: BASE,
      documentation: null,
      note: (message) => console.log(message),
      clock: systemClock,
      writer: await takeOver(db),
      metering: unmetered,
      memory: documentMemory(folder.documents, packageVersion),
      exclusively: (alone) => alone(),
    })
  } finally {
    await db.destroy()
  }
}

/** Time and requests of one run, as columns. */
async function counted(log: string, work: () => Promise<number>): Promise<readonly string[]> {
  const before = statSync(log, { throwIfNoEntry: false })?.size ?? 0
  const took = await work()
  const lines = readFileSync(log).subarray(before).toString('latin1').split('\n')
  const count = (operation: RegExp) => String(lines.filter((line) => operation.test(line)).length)
  return [
    `${took.toFixed(0)} ms`,
    count(/ s3_ListObjectsV2 /),
    count(/ s3_GetObject /),
    count(/ s3_Head/),
    count(/ s3_(Put|Post|Delete|Create|Complete|Upload|Copy|Abort)/),
  ]
}

for (const artifacts of ARTIFACTS) await measure(artifacts, artifacts > 10_000 ? 1 : 7)
