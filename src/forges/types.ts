import type { Source } from '../plan/plan.ts'

/** A git repository on this machine. Every method throws `GIT_FAILED` when git is missing or fails for its own reasons. */
export interface Repository {
  /** Absolute path of the top of the working tree. */
  readonly root: string
  /**
   * Resolves a revision (tag, branch, commit id, `HEAD`) to the commit it names now. A tag wins over a branch of the same name. `HEAD` or a
   * commit id is not a tag, even where a tag points at it.
   * @throws PitlaneError `REVISION_UNKNOWN`, `SHALLOW_CLONE`
   */
  source(revision: string): Promise<Source>
  /** A file at a commit, or null; fails with `CONFIG_INVALID` when it is larger than `limit` bytes. */
  file(commit: string, path: string, limit: number): Promise<Buffer | null>
  /** The commit that a tag names now, or null. */
  tagCommit(tag: string): Promise<string | null>
  /** Paths with changes against HEAD or not tracked (ignored ones excepted), at most `limit` of them. */
  changes(limit: number): Promise<readonly string[]>
  /**
   * Fills an absent or empty folder with the exact files of a commit, links and modes as recorded, no `.git`; all or nothing.
   * @throws PitlaneError `SOURCE_UNFIT` for a submodule or a name that no honest commit holds, `STORAGE_FAILED`
   */
  checkout(commit: string, folder: string): Promise<void>
  /** Ends what is kept running for the next question. It may still be asked, and has to be closed again then. */
  close(): void
  /** Tags with the commit each names. */
  tags(): Promise<readonly { readonly name: string; readonly commit: string }[]>
}

export interface Head {
  /** `refs/heads/main`, `refs/tags/v1.0.0` */
  readonly ref: string
  /** The commit that it names. */
  readonly commit: string
}

/** Told by a repository's hook: the same one may be told again until it is confirmed. */
export interface Told {
  /** `owner/name` */
  readonly repository: string
  /** Names what was told, among all of it. */
  readonly delivery: string
  readonly actor: string
  /** Refs that name something else since; those that are gone are left out. */
  readonly heads: readonly Head[]
}

/** Where repositories are, and where it is told that something was pushed. Repositories are called `owner/name`. */
export interface Forge {
  names(): Promise<readonly string[]>
  /** @throws PitlaneError `NOT_FOUND` */
  open(name: string): Repository
  heads(name: string): Promise<readonly Head[]>
  /** From now on pushes are told. May be repeated. */
  enable(name: string): Promise<void>
  disable(name: string): Promise<void>
  /** What is told and not confirmed, oldest first. What can't be understood is put aside, and told by `onUnread`. */
  told(onUnread: (note: string) => void): Promise<readonly Told[]>
  /** It is stored: from now on it is not told again. */
  confirm(told: Told): Promise<void>
  /** Calls when something may have been told. Returns how that ends. */
  watch(onTold: () => void): () => void
}
