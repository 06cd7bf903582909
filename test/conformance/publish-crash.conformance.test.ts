// `kill -9` at requests to an S3 server and a registry, and at the writes of the journal between them, then the same command again: on the same
// machine, on another one that has only the journal, and on one that has nothing. Readers look in between. All points with
// PITLANE_CRASH_POINTS=all, else some of them.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Fault } from '../crash/faults.ts'
import { type Answer, Runs } from '../crash/runs.ts'
import { CONFIGURATION, makeWorld, type World } from '../world/toy.ts'
import { distribution, type RegistryServer, startDistribution } from './peers/distribution.ts'
import { type Gates, openGates, type Trap } from './peers/gate.ts'
import { type FolderS3Server, startVersitygw, versitygw } from './peers/versitygw.ts'
import type { Web } from './peers/web.ts'

const TARGETS = ['x86_64-unknown-linux-musl', 'i686-unknown-linux-musl']
/** Points that are tried; a prime step goes through all kinds of requests. */
const STEP = process.env['PITLANE_CRASH_POINTS'] === 'all' ? 1 : 17

const s3Program = versitygw()
const registryProgram = distribution()
const skip = 'absent' in s3Program ? s3Program.absent : 'absent' in registryProgram ? registryProgram.absent : false

let s3: FolderS3Server
let registry: RegistryServer
let web: Web
let gates: Gates
let world: World
/** A copy of the state right before the first request of a publication. */
let base: string
let requests: readonly string[] = []
/** How many transactions a publication is. */
let writes: number
let runs: Runs
let goal: Readonly<Record<string, string>>

before(async () => {
  if ('absent' in s3Program || 'absent' in registryProgram) return
  runs = await Runs.open()
  s3 = await startVersitygw(s3Program.program)
  registry = await startDistribution(registryProgram.program)
  await s3.makeBucket('releases')
  web = await s3.readBucket('releases')
  gates = openGates()
  const [front, images] = [await gates.before(s3.url), await gates.before(registry.url)]
  world = makeWorld(
    CONFIGURATION.replace(/targets: \[x86_64[^\]]*\]/, `targets: [${TARGETS.join(', ')}]`)
      .replace('bucket: ../bucket', `bucket: s3://releases?endpoint=${front}&region=${s3.region}`)
      .replace('registry: ../images', `registry: ${images.slice('http://'.length)}`)
      .replace('https://releases.example.org', web.url),
  )
  base = join(world.root, 'base')
  // The builds are green, the publication is written down with its date, and nothing of it is out.
  const first = await release({
    trap: { pick: (_, asked) => asked.startsWith('PUT /releases/_releases/'), when: 'before' },
  })
  assert.equal(first.signal, 'SIGKILL', first.output)
  cpSync(join(world.project, '.pitlane'), base, { recursive: true })
  await empty()
  const whole = await release({})
  assert.equal(whole.code, 0, whole.output)
  requests = gates.seen
  goal = await published()
  await empty()
  gates.arm(null)
  const { code, points } = await runs.warm({ ...world, env: environment() }, { args: RELEASE, now: Date.now() })
  assert.equal(code, 0)
  writes = points.filter((point) => /^write .* after$/.test(point)).length
})

after(async () => {
  if (skip !== false) return
  runs.close()
  world.remove()
  await gates.stop()
  await web.stop()
  await registry.stop()
  await s3.stop()
})

const RELEASE = ['release', 'v1.0.0']

function environment(): Readonly<Record<string, string>> {
  return { ...world.env, AWS_ACCESS_KEY_ID: s3.accessKey, AWS_SECRET_ACCESS_KEY: s3.secretKey }
}

/** Where a run is killed: at a request, or at a write of its journal. */
interface Kill {
  readonly trap?: Omit<Trap, 'act'>
  readonly fault?: Fault
}

/** `project`: where it runs, the world's own by default. */
async function release({
  trap,
  fault,
  project = world.project,
}: Kill & { readonly project?: string }): Promise<Answer> {
  const { child, ended } = runs.start(
    { ...world, project, env: environment() },
    { args: RELEASE, now: Date.now(), ...(fault === undefined ? {} : { fault }) },
  )
  gates.arm(trap === undefined ? null : { ...trap, act: () => child.kill('SIGKILL') })
  return ended
}

/** Stores without anything, and the project as it is right before it publishes. */
async function empty(): Promise<void> {
  await s3.emptyBucket('releases')
  registry.empty()
  rmSync(join(world.project, '.pitlane'), { recursive: true, force: true })
  cpSync(base, join(world.project, '.pitlane'), { recursive: true })
}

/** Key → SHA-256 of every object, tag → digest of every image. What leases and probes left is nobody's. */
async function published(): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const key of await s3.keys('releases')) {
    if (key.startsWith('.pitlane-')) continue
    const bytes = Buffer.from(await (await fetch(`${web.url}/${key}`)).arrayBuffer())
    found[key] = createHash('sha256').update(bytes).digest('hex')
  }
  for (const repository of ['example/toy', 'example/amd64_toy', 'example/386_toy'])
    for (const tag of await tagsOf(repository))
      found[`${repository}:${tag}`] = (await manifestOf(repository, tag)).digest
  return found
}

async function tagsOf(repository: string): Promise<readonly string[]> {
  const answer = await fetch(`${registry.url}/v2/${repository}/tags/list`)
  return answer.ok ? (((await answer.json()) as { readonly tags: readonly string[] | null }).tags ?? []) : []
}

async function manifestOf(repository: string, reference: string) {
  const accept = 'application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json'
  const answer = await fetch(`${registry.url}/v2/${repository}/manifests/${reference}`, { headers: { accept } })
  assert.equal(answer.status, 200, `${repository}:${reference} is named and not there`)
  const digest = answer.headers.get('docker-content-digest') ?? ''
  return { digest, manifest: (await answer.json()) as Manifest }
}

interface Named {
  readonly digest: string
}
interface Manifest {
  readonly manifests?: readonly Named[]
  readonly layers?: readonly Named[]
  readonly config?: Named
}

/** Whatever page, lists and tags name is there. */
async function assertNoHole(): Promise<void> {
  const index = await fetch(`${web.url}/_releases/index.json`)
  const page = await fetch(`${web.url}/_releases.html`)
  const text = page.ok ? await page.text() : ''
  if (text.includes('v1.0.0') || index.ok) await assertWhole()
  for (const repository of ['example/toy', 'example/amd64_toy', 'example/386_toy'])
    for (const tag of await tagsOf(repository)) await assertPulls(repository, tag)
}

/** Every object that the release will have but for the lists, which come one by one. */
async function assertWhole(): Promise<void> {
  for (const key of Object.keys(goal).filter((name) => name.startsWith('_releases/v1.0.0/')))
    assert.equal((await fetch(`${web.url}/${key}`)).status, 200, `${key} is not there and lists name it`)
  assert.deepEqual(await tagsOf('example/toy'), ['v1.0.0'])
}

async function assertPulls(repository: string, reference: string): Promise<void> {
  const { manifest } = await manifestOf(repository, reference)
  for (const { digest } of manifest.manifests ?? []) await assertPulls(repository, digest)
  for (const { digest } of [...(manifest.layers ?? []), ...(manifest.config === undefined ? [] : [manifest.config])])
    assert.equal(
      (await fetch(`${registry.url}/v2/${repository}/blobs/${digest}`, { method: 'HEAD' })).status,
      200,
      digest,
    )
}

/** What holds the date of the publication. */
const DATED = /^_releases\.(html|json)$|^_releases\/(index\.json|\w+\.atom)|release\.json/
/** What holds the serial of the lists. */
const NUMBERED = /^_releases\.html$|^_releases\/index\.json/

function leaveOut(names: RegExp | null, all: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(all).filter(([name]) => names?.test(name) !== true))
}

type Machine = 'the same' | 'another with the journal' | 'another with nothing'

/** Where the command is run again. */
function machine(kind: Machine): { readonly project: string; remove(): void } {
  if (kind === 'the same') return { project: world.project, remove: () => {} }
  const folder = mkdtempSync(join(tmpdir(), 'pitlane-elsewhere-'))
  const project = join(folder, 'clone')
  const cloned = spawnSync('git', ['clone', '--quiet', world.project, project], { env: world.env, encoding: 'utf8' })
  assert.equal(cloned.status, 0, cloned.stderr)
  if (kind === 'another with the journal') {
    mkdirSync(join(project, '.pitlane'))
    for (const file of ['state.sqlite', 'state.sqlite-wal'])
      if (existsSync(join(world.project, '.pitlane', file)))
        cpSync(join(world.project, '.pitlane', file), join(project, '.pitlane', file))
  }
  return { project, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** Each with its name. */
function killings(): readonly (readonly [at: string, Kill])[] {
  const some = <T>(all: readonly T[], first: number) => all.filter((_, place) => place % STEP === first)
  const atRequests = (when: Trap['when']) =>
    requests.map((request, place): [string, Kill] => {
      const nth = place + 1
      return [`killed ${when} request ${nth} (${request})`, { trap: { pick: (n) => n === nth, when } }]
    })
  const atWrites = Array.from({ length: writes }, (_, place) =>
    (['uncommitted', 'after'] as const).map((when): [string, Kill] => {
      const at = `write #${place + 1} ${when}`
      return [`killed at ${at}`, { fault: { at, how: 'kill' } }]
    }),
  ).flat()
  return [...some(atRequests('before'), 0), ...some(atRequests('after'), STEP >> 1), ...some(atWrites, STEP >> 2)]
}

test('killed at a request or a write, and gone on from anywhere: the same is published, and nobody meets a hole', {
  skip,
  timeout: 3_600_000,
}, async () => {
  assert.ok(requests.length > 60, `only ${requests.length} requests: the gates are not where they should be`)
  assert.ok(writes > 10, `only ${writes} writes: the faults are not where they should be`)
  const kinds: readonly Machine[] = ['the same', 'another with the journal', 'another with nothing']
  for (const [tried, [point, kill]] of killings().entries()) {
    const kind = kinds[tried % kinds.length] ?? 'the same'
    const at = `${point}, gone on on ${kind}`
    await empty()
    const killed = await release(kill)
    assert.equal(killed.signal, 'SIGKILL', `${at}: ${killed.output}`)
    await assertNoHole()
    const isDecided = kind === 'the same' || (await s3.keys('releases')).includes('_releases/v1.0.0/release.json')
    // On another machine nobody can know that the holder is dead: its lease ends after a minute, and here at once.
    if (kind !== 'the same') await s3.dropLeases('releases')
    const elsewhere = machine(kind)
    const again = await release({ project: elsewhere.project })
    elsewhere.remove()
    assert.equal(again.code, 0, `${at}: ${again.output}`)
    const found = await published()
    assert.deepEqual(Object.keys(found), Object.keys(goal), at)
    // A publication of which no document was out yet is another one elsewhere, with a date and a build of its own.
    // And where nobody remembers which serial was signed already, the next one is taken.
    const without = !isDecided ? DATED : kind === 'another with nothing' ? NUMBERED : null
    assert.deepEqual(leaveOut(without, found), leaveOut(without, goal), at)
    await assertNoHole()
  }
  console.log(`${killings().length} points of ${requests.length * 2 + writes * 2}`)
})
