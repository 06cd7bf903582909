/** A project that publishes to an S3 server and a registry, by commands that are killed at a request or at a change of the journal, and go on. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KEYS } from '../../src/plan/keys.ts'
import { parseSiteIndex } from '../../src/release/lists/site-index.ts'
import type { Fault } from '../crash/faults.ts'
import { look } from '../crash/readers.ts'
import { type Answer, Runs } from '../crash/runs.ts'
import { CONFIGURATION, makeWorld, type World } from '../world/toy.ts'
import { type RegistryServer, startDistribution } from './peers/distribution.ts'
import { type Gates, openGates, type Trap } from './peers/gate.ts'
import { type FolderS3Server, startVersitygw } from './peers/versitygw.ts'
import type { Web } from './peers/web.ts'

const TARGETS = ['x86_64-unknown-linux-musl', 'i686-unknown-linux-musl']
const REPOSITORIES = ['example/toy', 'example/amd64_toy', 'example/386_toy']
const BUCKET = 'releases'

export interface Command {
  readonly args: readonly string[]
  /** What the wall clock says. */
  readonly now: number
}

/** Where a command dies. */
export type Kill = { readonly request: Omit<Trap, 'act'> } | { readonly journal: Fault['at'] }

/** Project, bucket and registry as they were at one moment. */
export interface Kept {
  readonly folder: string
}

export class Killing {
  readonly s3: FolderS3Server
  readonly registry: RegistryServer
  readonly web: Web
  readonly world: World
  readonly #gates: Gates
  readonly #runs: Runs
  readonly #kept: string[] = []

  private constructor(parts: Pick<Killing, 's3' | 'registry' | 'web' | 'world'>, gates: Gates, runs: Runs) {
    this.s3 = parts.s3
    this.registry = parts.registry
    this.web = parts.web
    this.world = parts.world
    this.#gates = gates
    this.#runs = runs
  }

  /** @param before an address in front of a server's, where something else is done to requests */
  static async open(
    s3Program: string,
    registryProgram: string,
    before: (url: string) => Promise<string> = (url) => Promise.resolve(url),
  ): Promise<Killing> {
    const s3 = await startVersitygw(s3Program)
    const registry = await startDistribution(registryProgram)
    await s3.makeBucket(BUCKET)
    const web = await s3.readBucket(BUCKET)
    const gates = openGates()
    const front = await before(await gates.before(s3.url))
    const images = await before(await gates.before(registry.url))
    const world = makeWorld(
      CONFIGURATION.replace(/targets: \[x86_64[^\]]*\]/, `targets: [${TARGETS.join(', ')}]`)
        .replace('name: example/toy', 'name: example/toy\n    floating: [latest]')
        .replace('bucket: ../bucket', `bucket: s3://${BUCKET}?endpoint=${front}&region=${s3.region}`)
        .replace('registry: ../images', `registry: ${images.slice('http://'.length)}`)
        .replace('https://releases.example.org', web.url),
    )
    Object.assign(world.env, { AWS_ACCESS_KEY_ID: s3.accessKey, AWS_SECRET_ACCESS_KEY: s3.secretKey })
    return new Killing({ s3, registry, web, world }, gates, await Runs.open())
  }

  async stop(): Promise<void> {
    this.#runs.close()
    for (const folder of this.#kept) rmSync(folder, { recursive: true })
    this.world.remove()
    await this.#gates.stop()
    for (const server of [this.web, this.registry, this.s3]) await server.stop()
  }

  /** @param project where it runs, the world's own by default */
  async run(
    { args, now }: Command,
    { kill, project = this.world.project }: { readonly kill?: Kill; readonly project?: string } = {},
  ): Promise<Answer> {
    const fault = kill !== undefined && 'journal' in kill ? { at: kill.journal, how: 'kill' as const } : null
    const options = { args, now, ...(fault === null ? {} : { fault }) }
    this.#gates.arm(null)
    const started = this.#runs.start({ ...this.world, project }, options)
    if (kill !== undefined && 'request' in kill)
      this.#gates.arm({ ...kill.request, act: () => started.child.kill('SIGKILL') })
    return started.ended
  }

  async done(command: Command, project?: string): Promise<string> {
    const { code, output } = await this.run(command, project === undefined ? {} : { project })
    assert.equal(code, 0, output)
    return output
  }

  /** What a whole run asks for, and how many changes of the journal it makes. */
  async wholeRun({ args, now }: Command): Promise<{ readonly requests: readonly string[]; readonly writes: number }> {
    this.#gates.arm(null)
    const { code, output, points } = await this.#runs.warm(this.world, { args, now })
    assert.equal(code, 0, output)
    return { requests: this.#gates.seen, writes: points.filter((point) => /^write .* after$/.test(point)).length }
  }

  keep(): Kept {
    const folder = mkdtempSync(join(tmpdir(), 'pitlane-kept-'))
    this.#kept.push(folder)
    for (const [name, path] of this.#places()) if (existsSync(path)) copy(path, join(folder, name))
    return { folder }
  }

  restore({ folder }: Kept): void {
    for (const [name, path] of this.#places()) {
      rmSync(path, { recursive: true, force: true })
      if (existsSync(join(folder, name))) copy(join(folder, name), path)
    }
  }

  #places(): readonly (readonly [name: string, path: string])[] {
    return [
      ['project', this.world.project],
      ['bucket', this.s3.folder(BUCKET)],
      ['registry', this.registry.data],
    ]
  }

  /** A clone of the project that knows nothing. */
  elsewhere(): { readonly project: string; remove(): void } {
    const folder = mkdtempSync(join(tmpdir(), 'pitlane-elsewhere-'))
    const project = join(folder, 'clone')
    const options = { env: this.world.env, encoding: 'utf8' } as const
    const cloned = spawnSync('git', ['clone', '--quiet', this.world.project, project], options)
    assert.equal(cloned.status, 0, cloned.stderr)
    return { project, remove: () => rmSync(folder, { recursive: true, force: true }) }
  }

  /** Key → SHA-256 of every object, tag → digest of every image. What leases and probes left is nobody's. */
  async published(): Promise<Record<string, string>> {
    const found: Record<string, string> = {}
    for (const key of await this.s3.keys(BUCKET)) {
      if (key.startsWith('.')) continue
      const bytes = readFileSync(join(this.s3.folder(BUCKET), key))
      found[key] = createHash('sha256').update(bytes).digest('hex')
    }
    for (const repository of REPOSITORIES)
      for (const tag of await this.#tagsOf(repository))
        found[`${repository}:${tag}`] = (await this.#manifest(repository, tag))?.digest ?? 'absent'
    return found
  }

  /** On another machine nobody can know that the holder is dead: its lease ends after a minute, and here at once. */
  dropLeases(): Promise<void> {
    return this.s3.dropLeases(BUCKET)
  }

  /** What page, lists, pointers and tags name and is not there. The index is written last: until then it may name what other lists do not any more. */
  async holes(): Promise<readonly string[]> {
    const bucket = this.s3.folder(BUCKET)
    // Images are looked at where they are.
    const holes = look({ bucket, images: join(bucket, 'none') }).problems.filter(
      (problem) =>
        !/index\.json names v\S+, \S+ does not$|example\/\S+ is absent$|example\/\S+, which is absent$/.test(problem),
    )
    const file = join(bucket, KEYS.index)
    const index = existsSync(file) ? parseSiteIndex(readFileSync(file), KEYS.index) : null
    for (const { version, image } of index?.releases ?? []) {
      if (image == null) continue
      const at = await this.#manifest('example/toy', version)
      if (at?.digest !== image.digest) holes.push(`${KEYS.index} names the image of ${version}, which is ${at?.digest}`)
    }
    for (const { repository, tag, digest } of index?.floating ?? [])
      if (digest !== null && (await this.#manifest(repository.replace(/^127[^/]*\//, ''), tag)) === null)
        holes.push(`${KEYS.index} names ${repository}:${tag}, which is absent`)
    for (const repository of REPOSITORIES)
      for (const tag of await this.#tagsOf(repository)) await this.#follow(repository, tag, holes)
    return holes
  }

  async #follow(repository: string, reference: string, holes: string[]): Promise<void> {
    const found = await this.#manifest(repository, reference)
    if (found === null) return void holes.push(`${repository}:${reference} is named, and absent`)
    const { manifests = [], layers = [], config } = found.manifest
    for (const { digest } of manifests) await this.#follow(repository, digest, holes)
    for (const { digest } of [...layers, ...(config === undefined ? [] : [config])]) {
      const blob = await fetch(`${this.registry.url}/v2/${repository}/blobs/${digest}`, { method: 'HEAD' })
      if (!blob.ok) holes.push(`${repository}:${reference} names ${digest}, which is absent`)
    }
  }

  async #tagsOf(repository: string): Promise<readonly string[]> {
    const answer = await fetch(`${this.registry.url}/v2/${repository}/tags/list`)
    return answer.ok ? (((await answer.json()) as { readonly tags: readonly string[] | null }).tags ?? []) : []
  }

  async #manifest(repository: string, reference: string) {
    const accept = 'application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json'
    const answer = await fetch(`${this.registry.url}/v2/${repository}/manifests/${reference}`, { headers: { accept } })
    if (!answer.ok) return null
    const digest = answer.headers.get('docker-content-digest') ?? ''
    return { digest, manifest: (await answer.json()) as Manifest }
  }
}

interface Named {
  readonly digest: string
}
interface Manifest {
  readonly manifests?: readonly Named[]
  readonly layers?: readonly Named[]
  readonly config?: Named
}

/** With dates, and with what servers keep beside the bytes. */
function copy(from: string, to: string): void {
  const { status, stderr } = spawnSync('cp', ['-a', from, to], { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
}
