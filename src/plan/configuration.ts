/** What a project file says, whatever its dialect: checked, with every default filled in. Input of `make-plan.ts`. */
import type { Channel } from './channel.ts'
import type { DocumentationPlace } from './documentation.ts'
import type { Retention } from './retention.ts'

type Environment = Readonly<Record<string, string>>

export interface Configuration {
  /** Name of the project. */
  readonly name: string
  readonly channels: readonly Channel[]
  /** For every step. */
  readonly env: Environment
  readonly checks: readonly ConfiguredCheck[]
  readonly release: ConfiguredRelease | null
  /** What may be removed again; null when nothing ever is. */
  readonly retention: Retention | null
}

interface ConfiguredCommand {
  readonly run: string
  /** Milliseconds. */
  readonly timeout: number
  readonly env: Environment
}

interface ConfiguredCheck extends ConfiguredCommand {
  readonly name: string
  /** Names of checks that must have passed before; resolved, so that an empty list means "at once". */
  readonly needs: readonly string[]
}

interface ConfiguredRelease {
  /** Triples. */
  readonly targets: readonly string[]
  readonly build: ConfiguredCommand & {
    /** Path with variables, see `substitute.ts`. */
    readonly binary: string
  }
  readonly static: boolean
  readonly test: (ConfiguredCommand & { readonly required: readonly string[] }) | null
  readonly image: ConfiguredImage | null
  readonly documentation: ConfiguredDocumentation | null
  readonly sign: 'minisign' | 'none'
  readonly publish: {
    readonly bucket: string
    readonly registry: string | null
    readonly public: string | null
  }
}

export interface ConfiguredDocumentation extends DocumentationPlace {
  /** Null where it is built elsewhere. */
  readonly build: (ConfiguredCommand & { readonly folder: string }) | null
}

export interface ConfiguredImage {
  readonly name: string
  /** Pattern for the repositories of the platforms; absent for the default. See `image-names.ts`. */
  readonly platforms?: string | undefined
  readonly format: 'oci' | 'docker'
  /** Patterns of tags that move on. */
  readonly floating: readonly string[]
  readonly command: readonly string[]
  readonly env: Environment
  readonly labels: Environment
}
