/**
 * A container registry behind HTTP: the client's half of the OCI distribution specification 1.1.
 *
 * What it costs, in requests: `putBlob` of a new one 4 (look, begin, send, look), of one that another repository of the registry has 2
 * (mount, look), of a present one 1; `putManifest` 1 with a part that is new, else 2 (read, put), of a present one 1; `putTag` 3
 * (look, put, look), of a present one 1, and 1 more at the same time as the first where the manifest was not put a moment ago; everything else 1. A registry with tokens takes 1 more at the very first, and 1 to its token service for each repository.
 */
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { PitlaneError } from '../../errors.ts'
import { exclusively } from '../../parallel.ts'
import { readParts } from '../manifest.ts'
import { DOCKER_MEDIA_TYPES, MANIFEST_LIMIT, MEDIA_TYPES } from '../media-types.ts'
import { digestOf, requireDigest, requireRepository, requireTag } from '../names.ts'
import type { Deletion, Descriptor, Registry } from '../types.ts'
import type { RegistryAddress } from '../address.ts'
import { discard, type HttpAnswer, locationOf, shownUrl, unreachable } from './http.ts'
import { descriptorOf, mediaTypeOf, tagsIn } from './manifest-answers.ts'
import type { AskOnce, Session } from './session.ts'
import { tryUpload, uploadBlob } from './upload.ts'

/** What is asked for under a tag: also what other tools put there, so that a tag in their hands is seen as taken. */
const ANY_MANIFEST = [
  MEDIA_TYPES.index,
  MEDIA_TYPES.manifest,
  DOCKER_MEDIA_TYPES.index,
  DOCKER_MEDIA_TYPES.manifest,
].join(', ')
const LOST = 'The registry has lost it, or somebody removed it: run the same command again, which puts what is missing.'
const CHANGED = 'The registry, or something on the way to it, changes what it stores.'
const TAGS_AT_ONCE = 1000
/** More tags than any project has: a list without end is a fault of the server. */
const MOST_TAGS = 1_000_000
/** Some registries give a hundred at a time, whatever they are asked for. */
const MOST_PAGES = 1000

export function distributionRegistry(address: RegistryAddress, session: Session): Registry {
  return new DistributionRegistry(address, session)
}

class DistributionRegistry implements Registry {
  readonly location: string
  readonly #namespace: string
  readonly #session: Session
  /** Where a blob is known to be: from there it can be mounted instead of sent again. */
  readonly #homes = new Map<string, string>()
  /** What no repository that was asked had, and has from us now: blobs and manifests. */
  readonly #sent = new Set<string>()
  /** What was put a moment ago, by repository and digest: what is to be tagged next is not fetched for that. */
  readonly #manifests = new Map<string, Buffer>()

  constructor(address: RegistryAddress, session: Session) {
    this.location = address.namespace === '' ? address.host : `${address.host}/${address.namespace.slice(0, -1)}`
    this.#namespace = address.namespace
    this.#session = session
  }

  async requireWritable(repository: string): Promise<void> {
    await tryUpload(this.#session, this.#name(repository))
  }

  async hasBlob(repository: string, digest: string): Promise<boolean> {
    return (await this.#look(repository, digest, (ask) => this.#session.ask(ask))) !== null
  }

  async putBlob(
    repository: string,
    blob: { readonly digest: string; readonly size: number; open(): Readable },
  ): Promise<void> {
    const { digest, size } = blob
    const name = this.#name(repository)
    requireDigest(digest)
    const where = `${this.location}/${repository}`
    // Two repositories that get the same bytes at the same time would get them twice.
    const there = await exclusively(`${this.location}@${digest}`, () => {
      const from = this.#homes.get(digest) ?? null
      const onSending = () => this.#sent.add(digest)
      return uploadBlob(this.#session, { name, from, blob, where, onSending }, async (once) => {
        const found = await this.#look(repository, digest, once)
        if (found === null || found === 'untold' || found === size) return found !== null
        throw new PitlaneError(
          'CONTRADICTION',
          `${where}: ${digest} has ${size} bytes, and the registry says ${found}`,
          {
            hint: CHANGED,
          },
        )
      })
    })
    if (there) return
    throw new PitlaneError('STORAGE_FAILED', `${where}: ${digest} with ${size} bytes was taken and is not there`, {
      hint: 'The registry lost it: run the same command again.',
    })
  }

  /** Ends with `CONTRADICTION` when other bytes come than have the digest, with `FETCH_FAILED` when the connection breaks. */
  async openBlob(repository: string, digest: string): Promise<Readable | null> {
    const name = this.#name(repository)
    requireDigest(digest)
    const answer = await this.#session.ask({
      method: 'GET',
      to: `${name}/blobs/${digest}`,
      scope: pulling(name),
      expect: [200, 404],
    })
    if (answer.status === 200) return Readable.from(this.#checked(repository, digest, answer), { objectMode: false })
    discard(answer)
    return null
  }

  async *#checked(repository: string, digest: string, answer: HttpAnswer): AsyncGenerator<Buffer> {
    const hash = createHash('sha256')
    try {
      for await (const piece of answer.body as AsyncIterable<Buffer>) {
        hash.update(piece)
        yield piece
      }
    } catch (error) {
      throw unreachable('GET', answer.url, error)
    }
    this.#requireDigest(repository, digest, `sha256:${hash.digest('hex')}`)
  }

  /** Bytes of a blob, or that they are not told; null: it is absent. */
  async #look(repository: string, digest: string, ask: AskOnce): Promise<number | 'untold' | null> {
    const name = this.#name(repository)
    requireDigest(digest)
    const answer = await ask({
      method: 'HEAD',
      to: `${name}/blobs/${digest}`,
      // Whoever logs in is about to push: one token does for both.
      scope: this.#session.loggedIn ? pushing(name) : pulling(name),
      expect: [200, 404],
    })
    discard(answer)
    if (answer.status === 404) return null
    this.#requireDigest(repository, digest, answer.header('docker-content-digest') ?? digest)
    this.#homes.set(digest, name)
    const size = answer.header('content-length')
    return size === null ? 'untold' : Number(size)
  }

  async putManifest(repository: string, mediaType: string, bytes: Buffer): Promise<Descriptor> {
    const name = this.#name(repository)
    if (bytes.length > MANIFEST_LIMIT)
      throw new PitlaneError('INTERNAL', `a manifest of ${bytes.length} bytes is larger than registries accept`)
    const parts = readParts(mediaType, bytes)
    if ('problem' in parts) throw new PitlaneError('INTERNAL', `the manifest is not valid: ${parts.problem}`)
    const digest = digestOf(bytes)
    const descriptor = { mediaType, digest, size: bytes.length }
    const { blobs, manifests } = parts.value
    // One with a part that was not there a moment ago is new. Of another one a registry spares us several files that it forces to disk.
    const isNew = [...blobs, ...manifests].some((part) => this.#sent.has(part.digest))
    if (!isNew && (await this.#readManifest(repository, digest, pushing)) !== null) return descriptor
    const put = await this.#put(name, digest, mediaType, bytes, [201, 400, 404])
    if (put !== 201) throw await this.#incomplete(repository, digest, put, parts.value)
    this.#sent.add(digest)
    this.#manifests.set(`${name}@${digest}`, bytes)
    return descriptor
  }

  readManifest(repository: string, digest: string): Promise<Buffer | null> {
    return this.#readManifest(repository, digest, pulling)
  }

  async #readManifest(repository: string, digest: string, scope: (name: string) => string): Promise<Buffer | null> {
    const name = this.#name(repository)
    requireDigest(digest)
    const { status, bytes } = await this.#session.askWhole({
      method: 'GET',
      to: `${name}/manifests/${digest}`,
      scope: scope(name),
      headers: { accept: ANY_MANIFEST },
      expect: [200, 404],
    })
    if (status === 404) return null
    this.#requireDigest(repository, digest, digestOf(bytes))
    return bytes
  }

  async resolveTag(repository: string, tag: string): Promise<Descriptor | null> {
    const name = this.#name(repository)
    requireTag(tag)
    const ask = { to: `${name}/manifests/${tag}`, scope: pulling(name), headers: { accept: ANY_MANIFEST } }
    const head = await this.#session.ask({ method: 'HEAD', ...ask, expect: [200, 404] })
    discard(head)
    if (head.status === 404) return null
    const told = descriptorOf(head)
    if (told !== null) return told
    // Not every server tells the digest to HEAD.
    const answer = await this.#session.askWhole({ method: 'GET', ...ask, expect: [200] })
    const { bytes } = answer
    return { mediaType: mediaTypeOf(answer), digest: digestOf(bytes), size: bytes.length }
  }

  async putTag(repository: string, tag: string, descriptor: Descriptor, from: string | null = null): Promise<void> {
    const name = this.#name(repository)
    requireTag(tag)
    requireDigest(descriptor.digest)
    const [present, bytes] = await Promise.all([
      this.resolveTag(repository, tag),
      this.#manifests.get(`${name}@${descriptor.digest}`) ?? this.readManifest(repository, descriptor.digest),
    ])
    const shown = `${this.location}/${repository}:${tag}`
    if (present !== null && present.digest !== descriptor.digest && present.digest !== from)
      throw new PitlaneError(
        'CONTRADICTION',
        `the tag ${shown} names ${present.digest} and would be moved to ${descriptor.digest}`,
        { hint: 'A published tag never moves. Publish the other image under another version.' },
      )
    if (bytes === null)
      throw new PitlaneError(
        'NOT_FOUND',
        `${this.location}/${repository}: there is no manifest ${descriptor.digest} to tag ${tag}`,
        { hint: LOST },
      )
    if (bytes.length !== descriptor.size)
      throw new PitlaneError(
        'CONTRADICTION',
        `${descriptor.digest} has ${bytes.length} bytes, the tag ${shown} would say ${descriptor.size}`,
      )
    if (present?.digest === descriptor.digest) return
    await this.#put(name, tag, descriptor.mediaType, bytes, [201])
    const now = await this.resolveTag(repository, tag)
    if (now?.digest === descriptor.digest) return
    throw new PitlaneError(
      'CONTRADICTION',
      `the tag ${shown} was set to ${descriptor.digest} and names ${now?.digest ?? 'nothing'}`,
      {
        hint: 'Does somebody else publish there? A registry has no lock for tags: let one publisher run at a time.',
      },
    )
  }

  async listTags(repository: string): Promise<readonly string[]> {
    const name = this.#name(repository)
    const found = new Set<string>()
    let to: string | URL = `${name}/tags/list?n=${TAGS_AT_ONCE}`
    for (let page = 1; ; page += 1) {
      const answer: HttpAnswer & { readonly bytes: Buffer } = await this.#session.askWhole({
        method: 'GET',
        to,
        scope: pulling(name),
        expect: [200, 404],
      })
      if (answer.status === 404) break
      const before = found.size
      for (const tag of tagsIn(answer.bytes, answer.url)) found.add(tag)
      const next = /<([^>]+)>\s*;\s*rel="?next"?/i.exec(answer.header('link') ?? '')?.[1]
      if (next === undefined) break
      const place = locationOf(answer, next)
      if (place === null || found.size === before || found.size > MOST_TAGS || page > MOST_PAGES)
        throw new PitlaneError(
          'FETCH_FAILED',
          `${shownUrl(answer.url)}: a list of tags that does not come to its end`,
          {
            hint: 'Is that the address of a container registry?',
          },
        )
      to = place
    }
    return [...found].sort()
  }

  async deleteTag(repository: string, tag: string, digest: string): Promise<Deletion> {
    const name = this.#name(repository)
    requireTag(tag)
    requireDigest(digest)
    const shown = `${this.location}/${repository}:${tag}`
    const present = await this.resolveTag(repository, tag)
    if (present === null) return 'absent'
    if (present.digest !== digest)
      throw new PitlaneError(
        'CONTRADICTION',
        `the tag ${shown} names ${present.digest}, and ${digest} was to lose it`,
        {
          hint: 'Somebody has moved the tag: it stays as it is.',
        },
      )
    const deletion = await this.#delete(name, `manifests/${tag}`)
    if (deletion === 'deleted' && (await this.resolveTag(repository, tag)) !== null) throw stillThere(shown)
    return deletion
  }

  async deleteManifest(repository: string, digest: string): Promise<Deletion> {
    const name = this.#name(repository)
    requireDigest(digest)
    this.#manifests.delete(`${name}@${digest}`)
    const deletion = await this.#delete(name, `manifests/${digest}`)
    if (deletion === 'deleted' && (await this.readManifest(repository, digest)) !== null)
      throw stillThere(`${this.location}/${repository}@${digest}`)
    return deletion
  }

  async deleteBlob(repository: string, digest: string): Promise<Deletion> {
    const name = this.#name(repository)
    requireDigest(digest)
    this.#homes.delete(digest)
    return this.#delete(name, `blobs/${digest}`)
  }

  /**
   * Distribution specification 1.1, "Content Management": 405 where the registry does not delete; for a tag 400 as well. One that deletes by
   * digest alone may take the tag for a wrong one.
   */
  async #delete(name: string, path: string): Promise<Deletion> {
    const answer = await this.#session.askWhole({
      method: 'DELETE',
      to: `${name}/${path}`,
      scope: deleting(name),
      expect: [200, 202, 204, 400, 404, 405],
    })
    // Any other 400 is a fault of the request, and no answer to it.
    if (answer.status === 400 && !/"code"\s*:\s*"(UNSUPPORTED|DIGEST_INVALID)"/.test(answer.bytes.toString('utf8')))
      throw new PitlaneError('FETCH_FAILED', `DELETE ${shownUrl(answer.url)} answered 400`, {
        hint: 'The registry does not understand how to delete that: delete it with its own tools.',
      })
    if (answer.status === 404) return 'absent'
    return answer.status === 400 || answer.status === 405 ? 'unsupported' : 'deleted'
  }

  #name(repository: string): string {
    requireRepository(repository)
    return this.#namespace + repository
  }

  async #put(
    name: string,
    reference: string,
    mediaType: string,
    bytes: Buffer,
    expect: readonly number[],
  ): Promise<number> {
    const answer = await this.#session.ask({
      method: 'PUT',
      to: `${name}/manifests/${reference}`,
      scope: pushing(name),
      headers: { 'content-type': mediaType },
      body: () => bytes,
      expect,
    })
    discard(answer)
    const told = answer.header('docker-content-digest')
    if (answer.status === 201 && told !== null) this.#requireDigest(name, digestOf(bytes), told)
    return answer.status
  }

  /** Which of its parts the registry lacks: its own words differ from server to server. */
  async #incomplete(
    repository: string,
    digest: string,
    status: number,
    parts: { readonly blobs: readonly Descriptor[]; readonly manifests: readonly Descriptor[] },
  ): Promise<PitlaneError> {
    const where = `${this.location}/${repository}`
    for (const { digest: part } of parts.blobs)
      if (!(await this.hasBlob(repository, part)))
        return new PitlaneError('NOT_FOUND', `${where}: ${digest} names ${part}, which is not there`, { hint: LOST })
    for (const { digest: part } of parts.manifests)
      if ((await this.readManifest(repository, part)) === null)
        return new PitlaneError('NOT_FOUND', `${where}: ${digest} names ${part}, which is not there`, { hint: LOST })
    return new PitlaneError('STORAGE_FAILED', `${where}: the registry refuses the manifest ${digest}: ${status}`, {
      hint: 'Does it take OCI images? For one that only knows the media types of Docker: `format: docker` in release.image.',
    })
  }

  #requireDigest(repository: string, expected: string, found: string): void {
    if (found === expected) return
    throw new PitlaneError(
      'CONTRADICTION',
      `${this.location}/${repository}: ${expected} comes with the digest ${found}`,
      {
        hint: CHANGED,
      },
    )
  }
}

function pulling(name: string): string {
  return `repository:${name}:pull`
}

/** Asked for from the beginning: a token for pulling is of no use a moment later. */
function pushing(name: string): string {
  return `repository:${name}:pull,push`
}

function deleting(name: string): string {
  return `repository:${name}:pull,delete`
}

function stillThere(name: string): PitlaneError {
  return new PitlaneError('STORAGE_FAILED', `the registry has deleted ${name}, and it is still there`, {
    hint: 'Does it keep copies that come late? Run the same command again.',
  })
}
