/** The documentation site of a project: where it lies in the bucket, and whose it is. */
import { parseDays } from './duration.ts'
import { KEYS } from './keys.ts'

/** What holds where a project does not say. */
export const DEFAULT_DOCUMENTATION = { path: 'docs/', channel: 'stable', grace: '7d' } as const

/** The top page of a site, which every site has. */
export const TOP_PAGE = 'index.html'

/** For a project that says nothing of documentation, and whose site somebody puts by hand. */
export function defaultPlace(): DocumentationPlace {
  const { path, channel, grace } = DEFAULT_DOCUMENTATION
  return { path, channel, versions: false, grace: parseDays(grace) }
}

/** What a documentation site is published by, whoever has built it. */
export interface DocumentationPlace {
  /** Prefix of its keys in the bucket: empty for the top, else ending with `/`. */
  readonly path: string
  /** The channel whose newest release it is of. */
  readonly channel: string
  /** Whether each release with a tag keeps its own under its version. */
  readonly versions: boolean
  /** Milliseconds that files stay which it has no more. */
  readonly grace: number
}

/** Where the documentation of one version stays. */
export function versionPath({ path }: Pick<DocumentationPlace, 'path'>, version: string): string {
  return `${path}${version}/`
}

/**
 * How documentation gets to the release page: absolute where the bucket has an address, else relative to the top of the site.
 * @param address public address of the bucket, without a trailing slash
 */
export function documentationLinks(address: string | null, { path }: Pick<DocumentationPlace, 'path'>) {
  return {
    page: address === null ? `${'../'.repeat(path.split('/').length - 1)}${KEYS.page}` : `${address}/${KEYS.page}`,
    site: address === null ? '' : `${address}/${path}`,
  }
}
