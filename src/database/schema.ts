/**
 * The tables, once for SQLite and Postgres: ids and enumerations are text, times are milliseconds since 1970, truth values 0 or 1,
 * documents are JSON in text. Logs and artifacts are files and never rows.
 */
import type { Generated } from 'kysely'

export interface Database {
  meta: MetaTable
  plans: PlansTable
  builds: BuildsTable
  stages: StagesTable
  steps: StepsTable
  attempts: AttemptsTable
  artifacts: ArtifactsTable
  layers: LayersTable
  release_tests: ReleaseTestsTable
  documentation_files: DocumentationFilesTable
  promotions: PromotionsTable
  publications: PublicationsTable
  listings: ListingsTable
  operations: OperationsTable
  state_changes: StateChangesTable
  repositories: RepositoriesTable
  events: EventsTable
  users: UsersTable
}

/** `epoch`: the fencing number of the process that may write. */
export interface MetaTable {
  key: string
  value: string
}

export interface PlansTable {
  id: string
  /** The plan as JSON, exactly as planned. */
  document: string
  created_at: number
}

export interface BuildsTable {
  id: string
  /** `LOCAL` where there is no server, and one repository. */
  repository_id: string
  /** Counts up within the repository, from 1. */
  number: number
  /** `checks` runs the checks of a commit; `release` builds and tests what a promotion releases. */
  kind: 'checks' | 'release'
  plan_id: string
  /** Same digest, same checks on the same commit. */
  checks_digest: string
  commit_id: string
  version: string
  /** Kind of the event that it carries out: `event/event.ts`. */
  event: 'manual' | 'push'
  /** What was asked for, as it was written: a tag, a branch, `HEAD`. */
  revision: string
  actor: string
  state: 'running' | 'succeeded' | 'failed'
  created_at: number
  finished_at: number | null
}

export interface StagesTable {
  build_id: string
  id: string
  position: number
  state: string
  /** The newest attempt; only it may write. */
  attempt: number
  /** What it waits for, or why it ended as it did, in words. */
  note: string | null
  /** Code of `errors.ts` for a stage that failed. */
  error: string | null
  started_at: number | null
  finished_at: number | null
}

export interface StepsTable {
  build_id: string
  stage_id: string
  id: string
  position: number
  state: string
  /** The attempt of the stage in which it was last started. */
  attempt: number
  exit_code: number | null
  started_at: number | null
  finished_at: number | null
}

export interface AttemptsTable {
  build_id: string
  stage_id: string
  number: number
  /** Why this attempt exists: `first`, or what was lost. */
  reason: string
  /** Since which start of the machine it runs. */
  boot_id: string
  started_at: number
  /** 1 when the machine or the executor lost it: what a person stops is not lost. */
  lost: Generated<number>
}

export interface ArtifactsTable {
  build_id: string
  output_id: string
  target: string
  name: string
  sha256: string
  blake2b512: string
  size: number
  /** Evidence as JSON: `artifact/evidence.ts`. */
  evidence: string
  created_at: number
}

/** The image layer made of an artifact: compressed once, and these bytes are used everywhere. */
export interface LayersTable {
  build_id: string
  target: string
  /** `sha256:…` of the compressed layer. */
  digest: string
  size: number
  /** `sha256:…` of the archive. */
  diff_id: string
}

/** A file of the documentation that a build has made. */
export interface DocumentationFilesTable {
  build_id: string
  /** Below the folder of the site. */
  path: string
  sha256: string
  size: number
}

export interface ReleaseTestsTable {
  build_id: string
  target: string
  result: 'running' | 'passed' | 'not-run'
  mode: 'native' | 'qemu' | null
  /** Digest of the exact binary that is run. */
  binary_sha256: string | null
  reason: string | null
  /** 1 when the test ran the binary, 0 when it did not; null where that can't be told. */
  executed: number | null
}

export interface PromotionsTable {
  id: string
  /** The green build that is released. */
  build_id: string
  /** The build that carries the promotion out. */
  release_build_id: string
  version: string
  actor: string
  reason: string | null
  created_at: number
}

export interface PublicationsTable {
  version: string
  release_build_id: string
  plan_id: string
  /** `prepared`: every operation is written down; `published`: every one is confirmed. */
  state: 'prepared' | 'published'
  /** The date of the release: fixed here, once. */
  published_at: number
  /** Who built and who promoted it, as JSON: fixed here, so that whoever finishes the publication writes the same document. */
  fixed: string
}

/** Page, lists and pointers of one serial, as this state has put them out or is about to: what stands here is believed without a signature. */
export interface ListingsTable {
  /** Of `index.json`: counts up. */
  serial: number
  /** The release that they were put out for, `PAGES`, or the change of a state. */
  version: string
  /** Their date. */
  generated_at: number
  /** SHA-256 of `index.json`. */
  sha256: string
  /** Where they were put, as `pitlane.yaml` names it: another bucket has had other lists. */
  bucket: string
  /** The newest stable version that they name; null when there was none. */
  stable: string | null
  /** `prepared`: every operation is written down; `published`: every one is confirmed. */
  state: 'prepared' | 'published'
}

export interface OperationsTable {
  /** The release that it belongs to, `PAGES`, or the change of a state. */
  version: string
  /** Position in the publication: entry first, then order within it. */
  position: number
  entry: string
  kind: 'put-if-absent' | 'ask-then-do'
  /** Where it goes: a key of the bucket, or `repository@digest` or `repository:tag` of the registry. */
  destination: string
  /** Expected digest of what will be there. */
  sha256: string
  size: number
  /** `started` is written before the effect, `done` after it was read back. */
  state: 'pending' | 'started' | 'done'
  attempts: Generated<number>
}

/** A release that is withdrawn, or restored: decided here, once, before anything of it goes out. */
export interface StateChangesTable {
  /** As `pitlane.yaml` names it. */
  bucket: string
  version: string
  revision: number
  /** The state document, exactly as it is signed and put. */
  document: string
  /** `prepared`: its operations are written down; `published`: it and the lists that say so are out. */
  state: 'prepared' | 'published'
}

/** What a server checks and releases. */
export interface RepositoriesTable {
  id: string
  /** `owner/name`, as its forge has it. */
  name: string
  /** 1: what is pushed is checked. */
  active: number
  created_at: number
}

/** What a forge has told, as it was stored before it was answered. */
export interface EventsTable {
  id: string
  repository_id: string
  /** Names it among what the repository's forge tells: told twice, it is one event. */
  delivery: string
  /** `refs/heads/main`, and what it names now. */
  ref: string
  commit_id: string
  /** A `PushEvent` as JSON. */
  document: string
  received_at: number
  state: 'waiting' | 'built' | 'skipped' | 'failed'
  /** Why it waits, was skipped, or has failed. */
  note: string | null
  build_id: string | null
}

export interface UsersTable {
  login: string
  /** 1: has every right. */
  admin: number
  /** Of the token, in hex: the token itself is nowhere. */
  token_sha256: string
  created_at: number
}
