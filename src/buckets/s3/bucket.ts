/**
 * A bucket on an S3 server (Amazon S3 API reference, 2006-03-01). An object appears whole or not at all: that is the server's promise. What
 * it does not promise everywhere is to refuse a write to a taken key: `conditional.ts` finds out, and where it does not, whoever publishes
 * must hold the bucket's lease.
 *
 * What it costs, in requests: `put` of a new object or of other bytes 3 (look, write, read back), of present ones 1; of a small one that must not
 * replace another, on a server that honours conditions, 2 in either case; in parts 3 more and one for each part; everything else 1, a
 * listing 1 for each thousand. Once for a bucket: 1 when the first object is absent, and 4 to find out about conditions.
 */
import type { Readable } from 'node:stream'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import type { Clock } from '../../clock.ts'
import { measure } from '../../bytes/digest.ts'
import { PitlaneError } from '../../errors.ts'
import { type S3Address, shownAddress } from '../address.ts'
import { RETRY, type RetryLimits, retrying } from '../../remote/retry.ts'
import { keyFault, refuseKey } from '../key.ts'
import type { Body, Bucket, FoundObject, Lease, LeaseRequest, ListedObject, ObjectFacts, PutOptions } from '../types.ts'
import { bare, NO_REASON, passing, refusalOf, saysAbsent, saysTaken, storageFailure } from './answers.ts'
import { contentsBelow } from './contents.ts'
import { findConditional, PROBES } from './conditional.ts'
import { piecesOf, streamOf } from './download.ts'
import { type Listing, own, pages, strange } from './listing.ts'
import { listAbandoned } from './abandoned.ts'
import { orderedClaims } from './lease/claims.ts'
import { acquire, type HeldLease, LEASE_TIMES, LEASES, type LeaseTimes } from './lease/lease.ts'
import { onlyObject } from './lease/only.ts'
import { s3LeaseStore } from './lease/s3-store.ts'
import { findRedirects } from './redirects.ts'
import { PartMemory } from './parts.ts'
import { DIGEST_METADATA, upload, type UploadParts } from './upload.ts'

export interface S3BucketOptions {
  readonly address: S3Address
  readonly client: S3Client
  readonly clock: Clock
  readonly retry?: RetryLimits
  /** Bytes: larger objects go in parts. */
  readonly threshold?: number
  /** Who publishes, for those who wait. */
  readonly holder?: string
  readonly leaseTimes?: LeaseTimes
}

/** Bytes that may be sent in vain. */
const SMALL = 64 * 1024
const THRESHOLD = 16 * 1024 * 1024
/** How often a put looks again because another writer was there in between. */
const TRIES = 5

interface Found {
  readonly size: number
  /** Lower-case hex, as whoever wrote it announced it; null when they did not. */
  readonly announced: string | null
  /** Where readers are sent on to. */
  readonly redirect: string | null
}

export function s3Bucket(options: S3BucketOptions): Bucket {
  return new S3Bucket(options)
}

class S3Bucket implements Bucket {
  readonly location: string
  readonly #address: S3Address
  readonly #client: S3Client
  readonly #clock: Clock
  readonly #retry: RetryLimits
  readonly #uploading: UploadParts
  readonly #holder: string
  readonly #leaseTimes: LeaseTimes
  /** Of whoever publishes: nothing is written without it once it was taken. */
  #held: HeldLease | undefined
  #exists: Promise<void> | undefined
  #conditional: Promise<boolean> | undefined

  constructor(options: S3BucketOptions) {
    const { address, client, clock, retry = RETRY, threshold = THRESHOLD } = options
    this.location = shownAddress(address)
    this.#address = address
    this.#client = client
    this.#clock = clock
    this.#retry = retry
    this.#uploading = { client, clock, limits: retry, threshold, memory: new PartMemory(clock) }
    this.#holder = options.holder ?? 'another process'
    this.#leaseTimes = options.leaseTimes ?? LEASE_TIMES
  }

  async put(key: string, body: Body, options: PutOptions): Promise<'written' | 'present'> {
    const where = this.#writable(key)
    const at = this.#at(key)
    for (let tried = 1; ; tried += 1) {
      const looks = tried > 1 || !(await this.#mayBeSentAtOnce(body, options))
      if (looks && (await this.#holds(key, body, options))) return 'present'
      const onlyIfAbsent = options.exclusive && (await this.#refusesTaken())
      const requireHeld = () => this.requireHeld()
      const isThere = () => this.#holdsPerhaps(key, body, options)
      const object = { bucket: at.Bucket, key: at.Key, where, body, options, onlyIfAbsent, requireHeld, isThere }
      try {
        await upload(this.#uploading, object)
      } catch (error) {
        const refusal = refusalOf(error)
        // Taken by somebody else, or by an attempt of ours whose answer got lost: the next look tells.
        const look = saysTaken(refusal) || refusal.code === 'NoSuchUpload'
        if (!look || tried >= TRIES) throw storageFailure('writing', where, error)
        continue
      }
      await this.#readBack(key, body, where)
      return 'written'
    }
  }

  async head(key: string): Promise<ObjectFacts | null> {
    const found = await this.#look(key)
    return found === null ? null : { key, size: found.size }
  }

  redirects(to: string, ask: (key: string) => Promise<string | null>): Promise<boolean> {
    const parts = { client: this.#client, address: this.#address, clock: this.#clock }
    return this.#ask('writing', this.location, () => findRedirects(parts, to, ask))
  }

  async redirectOf(key: string): Promise<string | null> {
    return (await this.#look(key))?.redirect ?? null
  }

  async requireWritable(): Promise<void> {
    // Writes a probe, and what it finds out is needed later.
    await this.#refusesTaken()
  }

  async read(key: string, limit: number): Promise<Buffer | null> {
    const where = this.#where(key)
    return this.#ask('reading', where, async () => {
      const object = await this.#get(key)
      if (object === null) return null
      if (object.size > limit) {
        object.body.destroy()
        throw new PitlaneError('STORAGE_FAILED', `${where}: ${object.size} bytes, more than the ${limit} allowed`, {
          hint: 'Nothing that Pitlane writes under this name is so large: look at what it is.',
        })
      }
      const chunks: Buffer[] = []
      for await (const chunk of piecesOf(object)) chunks.push(chunk)
      return Buffer.concat(chunks)
    })
  }

  async open(key: string): Promise<Readable | null> {
    const where = this.#where(key)
    const object = await this.#ask('reading', where, () => this.#get(key))
    return object === null ? null : streamOf(object, where)
  }

  async *list(prefix: string): AsyncIterable<ListedObject> {
    for await (const { Contents } of pages(this.#listing(prefix))) {
      for (const { Key, Size, LastModified } of Contents ?? []) {
        const key = own(this.#listing(prefix), Key)
        if (Size === undefined || LastModified === undefined || Number.isNaN(LastModified.getTime()))
          throw strange(this.#listing(prefix), 'an object without a size or a date')
        // What some tools put to show a folder is nothing that was published.
        if (!key.endsWith('/') && !isHidden(key)) yield { key, size: Size, modifiedAt: LastModified.getTime() }
      }
    }
  }

  async folders(prefix: string): Promise<readonly string[]> {
    const names: string[] = []
    for await (const { CommonPrefixes } of pages(this.#listing(prefix), { delimiter: '/' })) {
      for (const { Prefix } of CommonPrefixes ?? [])
        names.push(own(this.#listing(prefix), Prefix).slice(prefix.length, -1))
    }
    return names
  }

  async contents(
    prefix: string,
    wanted: (name: string) => boolean,
  ): Promise<ReadonlyMap<string, readonly FoundObject[]>> {
    return contentsBelow(this.#listing(prefix), await this.folders(prefix), wanted, this.#clock.now())
  }

  async abandoned(): Promise<readonly string[]> {
    const uploads = await this.#ask('listing uploads', this.location, () =>
      listAbandoned(this.#client, this.#address, this.#clock),
    )
    return uploads.toSorted()
  }

  async lease(request: LeaseRequest): Promise<Lease> {
    const who = { holder: this.#holder, id: request.owner ?? this.#clock.random(8).toString('hex') }
    const store = s3LeaseStore(this.#client, this.#address, (attempt) => this.#ask('leasing', this.location, attempt))
    const times = this.#leaseTimes
    const isConditional = await this.#refusesTaken()
    const holding = isConditional ? onlyObject(store, times, who) : orderedClaims(store, this.#clock, times, who)
    this.#held = await acquire(holding, this.location, request, { clock: this.#clock, times })
    request.onHeld?.(
      isConditional
        ? `${this.location} honours conditional writes: a lease object keeps other publishers out`
        : `${this.location} ignores conditional writes: lease objects, read back after a pause, keep other publishers out`,
    )
    return this.#held
  }

  async requireHeld(): Promise<void> {
    await this.#held?.confirm()
  }

  async delete(key: string): Promise<void> {
    const where = this.#writable(key)
    await this.#ask('deleting', where, async () => {
      await this.requireHeld()
      try {
        await this.#client.send(new DeleteObjectCommand(this.#at(key)))
      } catch (error) {
        if (!saysAbsent(refusalOf(error))) throw error
      }
    })
  }

  #where(key: string): string {
    const fault = keyFault(key)
    if (fault !== null) refuseKey(key, this.location, fault)
    return `${this.location}: ${key}`
  }

  #writable(key: string): string {
    if (isHidden(key)) refuseKey(key, this.location, `names that begin with ${LEASES} or ${PROBES} are reserved`)
    return this.#where(key)
  }

  #listing(prefix: string): Listing {
    const where = `${this.location}/${prefix}`
    const ask: Listing['ask'] = (request) => this.#ask('listing', where, () => this.#client.send(request))
    return { ask, address: this.#address, prefix, where }
  }

  #at(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#address.bucket, Key: this.#address.prefix + key }
  }

  async #ask<T>(doing: string, where: string, attempt: () => Promise<T>): Promise<T> {
    try {
      return await retrying({ clock: this.#clock, limits: this.#retry }, attempt, passing)
    } catch (error) {
      throw storageFailure(doing, where, error)
    }
  }

  async #look(key: string): Promise<Found | null> {
    const where = this.#where(key)
    return this.#ask('asking for it', where, async () => {
      try {
        const found = await this.#client.send(new HeadObjectCommand(this.#at(key)))
        const redirect = found.WebsiteRedirectLocation ?? null
        return { size: found.ContentLength ?? 0, announced: announcedIn(found.Metadata), redirect }
      } catch (error) {
        if (!saysAbsent(refusalOf(error))) throw await this.#withReason(key, error)
        await this.#confirmBucket()
        return null
      }
    })
  }

  /** The answer to HEAD has no body to say why it is refused; that to GET has. */
  async #withReason(key: string, error: unknown): Promise<unknown> {
    const { status, code } = refusalOf(error)
    if (status === null || status >= 500 || code !== NO_REASON) return error
    try {
      const { Body } = await this.#client.send(new GetObjectCommand({ ...this.#at(key), Range: 'bytes=0-0' }))
      ;(Body as Readable).destroy()
      return error
    } catch (reason) {
      return refusalOf(reason).status === status ? reason : error
    }
  }

  async #get(key: string) {
    try {
      const { Body, ContentLength, Metadata } = await this.#client.send(new GetObjectCommand(this.#at(key)))
      if (Body === undefined || ContentLength === undefined) throw new Error('an answer without a length')
      return { body: Body as Readable, size: ContentLength, sha256: announcedIn(Metadata) }
    } catch (error) {
      if (!saysAbsent(refusalOf(error))) throw error
      return null
    }
  }

  /** To HEAD, a server says of a missing bucket what it says of a missing object: only with the bucket there is an object absent. */
  #confirmBucket(): Promise<void> {
    this.#exists ??= this.#client.send(new HeadBucketCommand({ Bucket: this.#address.bucket })).then(
      () => undefined,
      (error: unknown) => {
        this.#exists = undefined
        if (refusalOf(error).status !== 404) throw error
        throw new PitlaneError('STORAGE_FAILED', `${this.location}: there is no bucket '${this.#address.bucket}'`, {
          hint: 'Make the bucket, or correct its name in the address.',
          cause: bare(error),
        })
      },
    )
    return this.#exists
  }

  #refusesTaken(): Promise<boolean> {
    this.#conditional ??= this.#ask('writing and deleting a probe', this.location, () =>
      findConditional(this.#client, this.#address, this.#clock),
    )
    return this.#conditional
  }

  /** A small one also where nobody has looked, if the server is known to refuse to replace another. */
  async #mayBeSentAtOnce({ size }: Body, { exclusive, looked = false }: PutOptions): Promise<boolean> {
    if (!exclusive) return looked
    return size <= SMALL && this.#conditional !== undefined && (await this.#conditional)
  }

  /** Whether the key holds exactly these bytes already. `exclusive` refuses others. */
  async #holds(key: string, body: Body, { exclusive, redirect }: PutOptions): Promise<boolean> {
    const found = await this.#look(key)
    if (found === null || (!exclusive && found.redirect !== (redirect ?? null))) return false
    if (found.size !== body.size && !exclusive) return false
    const sha256 = found.announced ?? (await this.#digest(key))
    if (found.size === body.size && sha256 === body.sha256) return true
    if (!exclusive) return false
    throw new PitlaneError(
      'CONTRADICTION',
      `${this.#where(key)}: holds ${found.size} bytes with SHA-256 ${sha256}; refusing to replace them by ${body.size} bytes with SHA-256 ${body.sha256}`,
      { hint: 'What was published under a name keeps its bytes: use a new version.' },
    )
  }

  /**
   * The same between two tries of a put that was not answered: one question, as whoever tries has pauses of its own. Without an answer nothing is
   * known, and it is tried again.
   */
  async #holdsPerhaps(key: string, body: Body, options: PutOptions): Promise<boolean> {
    const found = await this.#client.send(new HeadObjectCommand(this.#at(key))).catch(() => null)
    return found !== null && (await this.#holds(key, body, options))
  }

  async #digest(key: string): Promise<string | null> {
    const object = await this.#ask('reading', this.#where(key), () => this.#get(key))
    return object === null
      ? null
      : await this.#ask('reading', this.#where(key), async () => (await measure(piecesOf(object))).sha256)
  }

  async #readBack(key: string, body: Body, where: string): Promise<void> {
    const found = await this.#look(key)
    if (found?.size === body.size && (found.announced === null || found.announced === body.sha256)) return
    const is = found === null ? 'is absent' : `has ${found.size} bytes with SHA-256 ${found.announced}`
    throw new PitlaneError(
      found === null ? 'STORAGE_FAILED' : 'CONTRADICTION',
      `${where}: ${body.size} bytes with SHA-256 ${body.sha256} were written, and what is there ${is}`,
      { hint: 'Does something else write to this bucket? Run the same command again.' },
    )
  }
}

function announcedIn(metadata: Readonly<Record<string, string>> | undefined): string | null {
  const digest = metadata?.[DIGEST_METADATA]
  return digest !== undefined && /^[0-9a-f]{64}$/.test(digest) ? digest : null
}

/** What leases and probes are made of. */
function isHidden(key: string): boolean {
  return key.startsWith(LEASES) || key.startsWith(PROBES)
}
