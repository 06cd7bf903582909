/** What a command may ask for. `main.ts` builds each part on first use; a command that prints help builds none. */
import type { CommandContext } from '@stricli/core'
import type { ContentStore } from '../artifact/content.ts'
import type { Bucket } from '../buckets/types.ts'
import type { Clock } from '../clock.ts'
import type { StateFolder } from '../database/folder.ts'
import type { Writer } from '../database/writer.ts'
import type { Examination, ExamineOptions } from '../examination.ts'
import type { Executor } from '../executors/types.ts'
import type { Repository } from '../forges/types.ts'
import type { Registry } from '../image/types.ts'
import type { Served } from '../release/audit/served.ts'
import type { DocumentMemory } from '../release/lists/document-memory.ts'
import type { Signer } from '../release/keys/sign.ts'
import type { StopSignals } from '../run/parts.ts'
import type { Streams } from './output.ts'
import type { StatusLine } from './progress-text.ts'

export interface Context extends CommandContext {
  readonly process: Streams & CommandContext['process'] & { readonly argv: readonly string[] }
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly pitlaneVersion: string
  /** How many processors there are. */
  readonly processors: number
  /** Changes when the machine is restarted. */
  readonly bootId: string
  /** `process.arch` */
  readonly machine: string
  /** Aborted by Ctrl-C (first) and again (second). */
  readonly stop: StopSignals
  /** Null where there is no terminal for it. */
  readonly statusLine: StatusLine | null
  /** Told when a server asks to slow down: all requests to it wait for so many milliseconds. A command that reports puts its own here. */
  onSlowed: (host: string, milliseconds: number) => void
  /** What `main` exits with when the command has ended; 0 unless set. */
  exitCode: number
  /** Lets go of what the command used. */
  close(): void
  /** The project around the working directory. Throws `NOT_A_REPOSITORY`. */
  project(): Promise<Project>
  /** The top of the git repository around the working directory, with or without a `pitlane.yaml`. Throws `NOT_A_REPOSITORY`. */
  repositoryFolder(): Promise<string>
  /** Begins to load what `openState` runs on, and to find out what holds steps here, while something else is waited for. Opens nothing. */
  loadState(): void
  /** What holds the processes of steps together here. */
  isolation(): Promise<'pid-namespace' | 'process-group'>
  /** Takes the lock, opens the state; `release` must be called. Throws `BUSY`, `STORAGE_FAILED`, `STATE_NEWER`. */
  openState(project: Project, options: StateOptions): Promise<State>
  /** Whether somebody is at a terminal. */
  canAsk(): boolean
  /** A question that is answered by `y` or `yes`; anything else, and the end of the input, is no. */
  ask(question: string): Promise<boolean>
  /** Who asks, as git knows them. */
  actor(project: Project): Promise<string>
  /** The signing key of a project, or where it would be. Throws `KEY_MISSING`, `KEY_INVALID`. */
  signer(project: string): Promise<Signer>
  /** A bucket by its location in `pitlane.yaml`: an S3 address, or a folder that is resolved against the project's. */
  bucket(location: string, base: string): Promise<Bucket>
  /** Tries what publishing needs of the bucket; leaves nothing behind, and what fails is told, not thrown. */
  examineBucket(location: string, base: string, options: ExamineOptions): Promise<AsyncIterable<Examination>>
  /** The same of a registry that is a server. */
  examineRegistry(location: string, repository: string): Promise<AsyncIterable<Examination>>
  /** What can be read of a bucket behind an address. */
  published(address: string): Promise<Served>
  /** Takes the state folder of a server, and listens. Throws `BUSY`, `STORAGE_FAILED`, `STATE_NEWER`. */
  server(options: ServeOptions): Promise<RunningServer>
  /** The same for images. `self` has the logins of this user, `anybody` none: what is read so, everybody can pull. */
  registry(location: string, base: string, as?: 'self' | 'anybody'): Promise<Registry>
}

export interface ServeOptions {
  /** Relative to the working directory, or absolute. */
  readonly folder: string
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
  /** Builds at once. */
  readonly jobs: number
}

export interface RunningServer {
  readonly url: string
  readonly folder: string
  /** Folder of the bare repositories. */
  readonly repositories: string
  readonly loginUrl: string
  /** File that holds the first user's token. */
  readonly token: string
  /** When it was told to stop, and has. */
  readonly ended: Promise<void>
}

export interface Project {
  readonly repository: Repository
  /** Absolute folder that holds `pitlane.yaml`. */
  readonly folder: string
  /** `pitlane.yaml` relative to the repository's top. */
  readonly file: string
}

export interface StateOptions {
  /** For whoever waits for this one: `pitlane release v1.2.0`. */
  readonly command: string
  /** Milliseconds to wait for another process. */
  readonly wait: number
  readonly onWait: (holder: string) => void
}

export interface State {
  readonly folder: StateFolder
  readonly writer: Writer
  readonly content: ContentStore
  readonly executor: Executor
  /** Of the bucket's documents. */
  readonly memory: DocumentMemory
  /** Names who holds this state, on this machine since it was started: never two processes at a time. */
  readonly owner: string
  release(): Promise<void>
}
