/** The image of one platform, made of its binary as a release makes it, and put by hand into the platform's own repository. */
import type { ContentStore } from '../../artifact/content.ts'
import type { Body } from '../../buckets/types.ts'
import { PitlaneError } from '../../errors.ts'
import { assembleImage } from '../../image/image.ts'
import { writeLayer } from '../../image/layer.ts'
import type { Plan, PlannedImage } from '../../plan/plan.ts'
import { type ByHandJournal, carryOutByHand } from './by-hand-journal.ts'
import { imageFacts, platformOperations, tagOperation } from '../image-operations.ts'
import { findContradictions } from '../contradictions.ts'

export interface ImageRequest {
  readonly plan: Plan
  /** With the one platform, in the repository that was asked for. */
  readonly image: PlannedImage
  readonly tag: string
  /** File name of the binary in the image. */
  readonly name: string
  readonly binary: Body
}

export interface PublishedImage {
  readonly state: 'pushed' | 'present'
  /** Of the platform's manifest. */
  readonly digest: string
}

/** @throws PitlaneError `CONTRADICTION` when the tag names another image */
export async function publishImage(
  journal: ByHandJournal,
  content: ContentStore,
  { plan, image, tag, name, binary }: ImageRequest,
): Promise<PublishedImage> {
  const [planned] = image.platforms
  if (planned === undefined) throw new PitlaneError('INTERNAL', 'an image without a platform')
  const put = (bytes: AsyncIterable<Uint8Array>) => content.putChunks(bytes, `the image layer of ${name}`)
  const layer = await writeLayer({ name, body: binary, mtime: plan.source.commitTime, put })
  const [platform] = assembleImage(image, imageFacts(plan), new Map([[planned.target, layer]])).platforms
  if (platform === undefined) throw new PitlaneError('INTERNAL', `no image for ${planned.target}`)
  const { digest } = platform.manifest.descriptor
  const { repository } = planned
  const stored = await content.open(layer.digest.slice('sha256:'.length))
  const tagging = tagOperation(repository, tag, platform.manifest.descriptor)
  await findContradictions(journal, [tagging])
  // Where the tag names it, everything below it is there: a registry takes no manifest before its parts.
  if ((await journal.registry?.resolveTag(repository, tag)) != null) return { state: 'present', digest }
  const operations = [...platformOperations(platform, repository, () => stored), tagging]
  await carryOutByHand(journal, `${repository}:${tag}`, operations)
  return { state: 'pushed', digest }
}
