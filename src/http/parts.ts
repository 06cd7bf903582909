/** What the server's surfaces are given. */
import type { RepositoryRow } from '../database/queries/repositories.ts'
import type { Writer } from '../database/writer.ts'
import type { Clock } from '../clock.ts'
import type { BuildRow } from '../database/queries/builds.ts'

/** What a route does beyond reading rows: it is the rooms' own work, which `http/` only asks for. */
export interface Actions {
  /** What is pushed to it is checked from now on, or is not. Throws `NOT_FOUND` for a repository that the forge does not have. */
  setActive(name: string, active: boolean): Promise<RepositoryRow>
  /** All that the forge has, those that were never enabled too. */
  repositories(): Promise<readonly KnownRepository[]>
  /** File that the step's output goes to, and where it is begun: the newest one. */
  outputFile(
    build: BuildRow,
    step: { readonly stage: string; readonly index: number; readonly attempt: number },
  ): string
}

export interface KnownRepository {
  readonly name: string
  /** Null: never enabled. */
  readonly row: RepositoryRow | null
}

export interface HttpParts {
  readonly writer: Writer
  readonly clock: Clock
  readonly version: string
  /** 32 bytes that sign session cookies: who changes them ends all sessions. */
  readonly secret: Buffer
  readonly actions: Actions
  /** Digest of a code that logs the named user in, once; null when it was used. */
  login: LoginCode | null
}

export interface LoginCode {
  readonly sha256: string
  readonly user: string
  /** On the monotonic clock. */
  readonly until: number
}
