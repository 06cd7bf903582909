/** The variables that Pitlane sets for steps. What they say is a promise, so a project can't set them itself. */
import type { Source } from './plan.ts'
import type { Target } from './targets.ts'

/** What every command of a release gets, and what the path of the binary may contain. */
export const RELEASE_VARIABLES = ['VERSION', 'TARGET', 'ARCH', 'CHANNEL', 'COMMIT', 'SOURCE_DATE_EPOCH'] as const

/** What the build of the documentation gets. */
export const DOCUMENTATION_VARIABLES = [
  'VERSION',
  'CHANNEL',
  'COMMIT',
  'SOURCE_DATE_EPOCH',
  'RELEASES_PAGE',
  'DOCUMENTATION_URL',
] as const

/** Set for tests when they start: a path that runs the binary here, and the digest of the binary. */
const TEST_VARIABLES = ['BINARY', 'BINARY_FILE', 'BINARY_SHA256', 'BINARY_MODE'] as const

export const RESERVED_VARIABLES: readonly string[] = [
  ...new Set([...RELEASE_VARIABLES, ...DOCUMENTATION_VARIABLES, ...TEST_VARIABLES]),
]

/** For checks: nothing that depends on the name of a version, so that a green build counts for every name of its commit. */
export function checkVariables(source: Source): Readonly<Record<string, string>> {
  return { COMMIT: source.commit, SOURCE_DATE_EPOCH: String(source.commitTime) }
}

export function releaseVariables(
  source: Source,
  version: string,
  channel: string,
  target: Target,
): Readonly<Record<(typeof RELEASE_VARIABLES)[number], string>> {
  return {
    VERSION: version,
    TARGET: target.triple,
    ARCH: target.arch,
    CHANNEL: channel,
    COMMIT: source.commit,
    SOURCE_DATE_EPOCH: String(source.commitTime),
  }
}

/** @param links `page`: address of the release page; `site`: of the newest documentation, empty where there is none */
export function documentationVariables(
  source: Source,
  version: string,
  channel: string,
  links: { readonly page: string; readonly site: string },
): Readonly<Record<(typeof DOCUMENTATION_VARIABLES)[number], string>> {
  return {
    VERSION: version,
    CHANNEL: channel,
    COMMIT: source.commit,
    SOURCE_DATE_EPOCH: String(source.commitTime),
    RELEASES_PAGE: links.page,
    DOCUMENTATION_URL: links.site,
  }
}
