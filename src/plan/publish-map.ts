/**
 * Where everything of a release will go: the list that `pitlane plan` prints. A source is an output (`binary/<triple>`), an image, a
 * document of the release, or something computed from all releases; a destination is a key in the bucket or `repository:tag`.
 */
import { PitlaneError } from '../errors.ts'
import { KEYS } from './keys.ts'
import type { PlannedDocumentation, PlannedImage, PlannedOutput } from './plan.ts'

export interface Mapping {
  readonly source: string
  readonly destination: string
}

interface PublishedThings {
  readonly version: string
  readonly channel: string
  readonly signed: boolean
  readonly outputs: readonly PlannedOutput[]
  readonly image: PlannedImage | null
  readonly documentation: PlannedDocumentation | null
}

/**
 * In the order of publication: files, documentation that stays under its version, the release's documents, image tags with the multi-platform one last, then what is computed.
 * @throws PitlaneError `PLAN_CONTRADICTION` when two things would go to one place
 */
export function publishMap(things: PublishedThings): readonly Mapping[] {
  const { version, signed } = things
  const document = (key: string, source: string): readonly Mapping[] => [
    { source, destination: key },
    ...(signed
      ? ['.minisig', '.sig'].map((suffix) => ({ source: `${source}${suffix}`, destination: `${key}${suffix}` }))
      : []),
  ]
  const map = [
    ...things.outputs.flatMap((output) => binary(version, output, signed)),
    ...keptDocumentation(things, document(KEYS.documentation(version), 'documentation/files')),
    ...document(KEYS.document(version), 'release.json'),
    ...document(KEYS.sums(version), 'SHA256SUMS'),
    ...imageTags(things.image),
    ...(things.documentation?.newest
      ? [
          { source: 'documentation', destination: `${things.documentation.path}*` },
          ...document(KEYS.documentationNow, 'documentation/list'),
        ]
      : []),
    ...computed(things.channel, signed),
    // Last: from the index any later run finds and mends the others.
    ...document(KEYS.index, 'index'),
  ]
  return withoutCollision(map)
}

function binary(version: string, { id, target, name }: PlannedOutput, signed: boolean): readonly Mapping[] {
  const key = KEYS.binary(version, target, name)
  return ['', '.sha256', ...(signed ? ['.minisig'] : [])].map((suffix) => ({
    source: `${id}${suffix}`,
    destination: `${key}${suffix}`,
  }))
}

function keptDocumentation({ documentation }: PublishedThings, list: readonly Mapping[]): readonly Mapping[] {
  if (documentation === null || (documentation.kept === null && !documentation.newest)) return []
  const { kept } = documentation
  return kept === null ? list : [{ source: 'documentation/kept', destination: `${kept}*` }, ...list]
}

function imageTags(image: PlannedImage | null): readonly Mapping[] {
  if (image === null) return []
  const { platforms, repository, tag, floating = [] } = image
  return [
    ...platforms.map((platform) => ({
      source: `image/${platform.target}`,
      destination: `${platform.repository}:${tag}`,
    })),
    { source: 'image', destination: `${repository}:${tag}` },
    ...floating.map((name) => ({ source: `image as ${name}`, destination: `${repository}:${name}` })),
  ]
}

function computed(channel: string, signed: boolean): readonly Mapping[] {
  return [
    { source: 'page', destination: KEYS.page },
    { source: 'list', destination: KEYS.garageList },
    { source: 'feed/stable', destination: KEYS.atomStable },
    { source: 'feed/all', destination: KEYS.atomAll },
    { source: 'install script', destination: KEYS.installScript },
    ...(signed
      ? [
          { source: 'public key (minisign)', destination: KEYS.publicKey },
          { source: 'public key (PEM)', destination: KEYS.publicKeyPem },
        ]
      : []),
    { source: `latest/${channel}`, destination: channel === 'stable' ? KEYS.latest : KEYS.latestOf(channel) },
  ]
}

function withoutCollision(map: readonly Mapping[]): readonly Mapping[] {
  const sources = new Map<string, string>()
  for (const { source, destination } of map) {
    const other = sources.get(destination)
    if (other !== undefined) {
      throw new PitlaneError('PLAN_CONTRADICTION', `${other} and ${source} would both be published as ${destination}`, {
        hint: 'Give one of them another name in pitlane.yaml.',
      })
    }
    sources.set(destination, source)
  }
  return map
}
