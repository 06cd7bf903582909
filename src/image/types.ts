import type { Readable } from 'node:stream'

/** Content descriptor (OCI image specification 1.1, descriptor.md). */
export interface Descriptor {
  readonly mediaType: string
  /** `sha256:` and 64 hex digits. */
  readonly digest: string
  /** Bytes. */
  readonly size: number
  readonly platform?: { readonly architecture: string; readonly os: string; readonly variant?: string }
  readonly annotations?: Readonly<Record<string, string>>
}

/**
 * What became of a request to delete. `in-use`: it stays, because a tag or manifest that stays names it. `unsupported`: the registry's
 * definite answer that it does not delete such things.
 */
export type Deletion = 'deleted' | 'absent' | 'in-use' | 'unsupported'

/**
 * Where container images go: a folder in OCI image layout, or a distribution server. Blobs and manifests are put by digest and
 * never change; only tags name them. Null means the registry's definite answer "absent".
 *
 * Every method throws `IMAGE_NAME` when a repository, tag or digest is not one by the OCI distribution specification 1.1, before it
 * touches anything; `CONTRADICTION` when the bytes under a digest have another one; `STORAGE_FAILED` when the registry can't be read.
 */
export interface Registry {
  readonly location: string
  /** Fails where nothing can be put into the repository, so that one who is about to work for it learns it before. Nothing stays behind. */
  requireWritable(repository: string): Promise<void>
  /** Whether the registry holds the blob; a folder hashes it, a server is asked. */
  hasBlob(repository: string, digest: string): Promise<boolean>
  /** Puts a blob; size and digest are measured on its way, by a server as by a folder. Putting it again does nothing. */
  putBlob(repository: string, blob: { readonly digest: string; readonly size: number; open(): Readable }): Promise<void>
  openBlob(repository: string, digest: string): Promise<Readable | null>
  /**
   * Puts the exact bytes of an OCI manifest or index by digest and returns its descriptor. Everything it names must be there already:
   * `NOT_FOUND` otherwise.
   */
  putManifest(repository: string, mediaType: string, bytes: Buffer): Promise<Descriptor>
  /** By digest (`sha256:…`); fails with `STORAGE_FAILED` when larger than 4 MiB, `CONTRADICTION` when the bytes don't have that digest. */
  readManifest(repository: string, digest: string): Promise<Buffer | null>
  /** The media type, digest and size that the tag names now. */
  resolveTag(repository: string, tag: string): Promise<Descriptor | null>
  /**
   * Points a tag at a manifest that is there (`NOT_FOUND` otherwise). Refuses with `CONTRADICTION` when the tag names another digest.
   * @param from what a tag that moves on names so far: from there, and from nowhere else, it is moved
   */
  putTag(repository: string, tag: string, descriptor: Descriptor, from?: string | null): Promise<void>
  /** The tags of a repository, sorted; none when it is absent. */
  listTags(repository: string): Promise<readonly string[]>
  /** Takes a tag away that names this digest; refuses with `CONTRADICTION` when it names another one. What it named stays. */
  deleteTag(repository: string, tag: string, digest: string): Promise<Deletion>
  /**
   * Deletes a manifest or index by digest. A server deletes every tag that names it along with it, and does not look whether an index
   * does: the caller has made sure that none is needed. A folder keeps what any tag of any repository leads to.
   */
  deleteManifest(repository: string, digest: string): Promise<Deletion>
  /** Deletes a blob from a repository; a folder has it once for all of them, and keeps what any tag leads to. */
  deleteBlob(repository: string, digest: string): Promise<Deletion>
}
