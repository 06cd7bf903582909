// A small release (four binaries of 1 MB, with images) published over a link with a round trip of 20 ms: to the S3 server, to the registry, and
// from the public address, at which everything is read back and verified.
//
// Ours is timed from the progress events, from the end of the build to `published`: packing the images, every check, everything that is put
// and signed, reading back, proving, the lists, verifying. There are two peers, and both do less:
// - the scripts that Pitlane replaces, with the tools that they call, one after the other as they do: for each binary one `aws s3 cp`, for each
//   image, made already, one `crane push`, one for the index over them; a listing, the list and the page. No checksums, no signatures, nothing read
//   back. Their time is mostly the start of processes, so that the line says what a person waits for, and not what the link makes of it.
// - our own clients in one process, without its start, putting everything that a release puts one after the other, nothing read back or
//   verified. Here the link alone is what differs.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { TARGETS } from '../../src/plan/targets.ts'
import { crane } from '../conformance/peers/crane.ts'
import { distribution, startDistribution } from '../conformance/peers/distribution.ts'
import { onPath } from '../conformance/peers/installed.ts'
import { startVersitygw, versitygw } from '../conformance/peers/versitygw.ts'
import { makeWorld } from '../world/toy.ts'
import { makeImages, TAG } from './images.ts'
import { startLink } from './link.ts'
import { compare, PITLANE, type Place, wholeProcess } from './measure.ts'
import { buildProgram, output, required } from './programs.ts'

const ROUND_TRIP = 20
const SIZE = 1_000_000
const PAIRS = 5
const BUCKET = 'releases'

const programs = {
  s3: required(versitygw()),
  registry: required(distribution()),
  crane: required(crane()),
  aws: required(onPath('aws')),
}
const folder = mkdtempSync(join(tmpdir(), 'pitlane-bench-far-'))
const layouts = await makeImages(folder, SIZE)
const oneByOne = buildProgram('one-by-one', folder)
// As it is started by itself it ends each connection after one request, which no server on the internet does.
const s3 = await startVersitygw(programs.s3, { more: ['--keep-alive', '--quiet'] })
const registry = await startDistribution(programs.registry)
await s3.makeBucket(BUCKET)
const web = await s3.readBucket(BUCKET)
const links = {
  s3: await startLink(s3.url, ROUND_TRIP),
  registry: await startLink(registry.url, ROUND_TRIP),
  web: await startLink(web.url, ROUND_TRIP),
}
const address = `s3://${BUCKET}?endpoint=${links.s3.url}&region=${s3.region}`
const triples = TARGETS.map(({ triple }) => triple)
const world = makeWorld(`name: small
checks: [{ name: nothing, run: 'true' }]
release:
  targets: [${triples.join(', ')}]
  build:
    run: mkdir out && ln "$HOME/built/$TARGET" out/small
    binary: out/small
  image: { name: example/small, command: [/small] }
publish:
  bucket: ${address}
  registry: ${links.registry.host}
  public: ${links.web.url}
`)
const env = { ...world.env, AWS_ACCESS_KEY_ID: s3.accessKey, AWS_SECRET_ACCESS_KEY: s3.secretKey }
const built = join(world.env['HOME'] ?? '', 'built')
mkdirSync(built)
for (const { triple, path } of layouts.binaries) {
  copyFileSync(path, join(built, triple))
  chmodSync(join(built, triple), 0o755)
}

async function emptied(): Promise<void> {
  await s3.emptyBucket(BUCKET)
  registry.empty()
}

async function release(): Promise<number> {
  rmSync(join(world.project, '.pitlane'), { recursive: true, force: true })
  await emptied()
  const child = spawn(process.execPath, [PITLANE, 'release', 'v1.0.0', '--json'], {
    cwd: world.project,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  let since = Number.NaN
  let took = Number.NaN
  for await (const line of createInterface({ input: child.stdout })) {
    const { event, kind, state } = JSON.parse(line) as { event: string; kind?: string; state?: string }
    const now = performance.now()
    if (event === 'build' && kind === 'release' && state === 'succeeded') since = now
    if (event === 'published') took = now - since
  }
  const [code] = (await ended) as [number | null]
  if (code !== 0) throw new Error(`pitlane release ended with ${code}`)
  return took
}

const list = join(folder, 'list')
writeFileSync(list, 'x'.repeat(10_000))
const place: Place = {
  env: {
    ...env,
    AWS_ENDPOINT_URL: links.s3.url,
    AWS_DEFAULT_REGION: s3.region,
    AWS_REQUEST_CHECKSUM_CALCULATION: 'when_required',
  },
}
const aws = (...args: string[]) => wholeProcess(programs.aws, ['s3', ...args], place)
const push = (layout: string, repository: string) =>
  wholeProcess(programs.crane, ['push', '--insecure', layout, `${links.registry.host}/${repository}:${TAG}`], place)

async function scripts(): Promise<number> {
  await emptied()
  let sum = 0
  for (const { triple, path } of layouts.binaries)
    sum += await aws('cp', path, `s3://${BUCKET}/_releases/${TAG}/${triple}/small`)
  for (const { repository, layout } of [...layouts.platforms, layouts.index]) sum += await push(layout, repository)
  sum += await aws('ls', '--recursive', `s3://${BUCKET}/_releases/`)
  for (const key of ['_releases.json', '_releases.html']) sum += await aws('cp', list, `s3://${BUCKET}/${key}`)
  return sum
}

async function inTurn(): Promise<number> {
  await emptied()
  return Number((await output(process.execPath, [oneByOne, folder, address, links.registry.host], { env })).said)
}

try {
  await compare(
    [
      {
        what: 'published over 20 ms / scripts with aws and crane',
        ours: release,
        peer: scripts,
        bound: Number((1 / 3).toFixed(2)),
      },
      { what: 'published over 20 ms / all that is put, one by one', ours: release, peer: inTurn },
    ],
    PAIRS,
  )
} finally {
  world.remove()
  for (const each of [...Object.values(links), web, registry, s3]) await each.stop()
  rmSync(folder, { recursive: true, force: true })
}
