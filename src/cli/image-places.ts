/** Where `pitlane verify` reads the images of a release. */
import { statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { PitlaneError } from '../errors.ts'
import { isRegistryAddress, parseRegistryAddress } from '../image/address.ts'
import { type Pullable, pulledByAnybody } from '../image/pulling.ts'
import type { ReleaseImage } from '../release/document.ts'
import { absolute } from './command.ts'
import type { Context } from './context.ts'
import { requireFolder } from './require-folder.ts'

export interface ImagePlaces {
  /** Null where neither the person nor the document, which has to be verified, says where the images are. */
  readonly registryOf: (image: Pick<ReleaseImage, 'layout' | 'registry'>) => Promise<Pullable | null>
  /** What has to be said when the images were read, one line each. */
  readonly remarks: () => readonly string[]
}

interface Places {
  readonly from: string
  /** What the person named goes before what the document names. */
  readonly registry?: string
  /** The document is one that nobody signed: no login is used for what it names. */
  readonly unsigned: boolean
}

/** @throws PitlaneError for a place that the person named and that can't be one */
export function imagePlaces(context: Context, { from, registry, unsigned }: Places): ImagePlaces {
  const isPrivate = new Set<string>()
  const server = async (location: string, mayLogIn: boolean): Promise<Pullable> => {
    const anybody = await context.registry(location, '', 'anybody')
    if (!mayLogIn) return anybody
    const self = () => context.registry(location, '', 'self')
    return pulledByAnybody(anybody, self, (repository) =>
      isPrivate.add(`${location} gives ${repository} only to who logs in: it was read with your login`),
    )
  }
  if (registry !== undefined) {
    if (isRegistryAddress(registry)) parseRegistryAddress(registry)
    // A layout that is not there would look like one that has lost every image.
    else
      requireFolder(
        absolute(registry, context.cwd),
        '--registry takes the address of a registry, or the folder of an OCI image layout.',
      )
  }
  return {
    remarks: () => [...isPrivate],
    async registryOf(image) {
      if (registry !== undefined)
        return isRegistryAddress(registry) ? server(registry, true) : context.registry(registry, context.cwd)
      if (image.registry !== undefined) return server(registryNamed(image.registry), !unsigned)
      if (image.layout === null || /^https?:\/\//.test(from)) return null
      const folder = absolute(from.startsWith('file://') ? fileURLToPath(from) : from, context.cwd)
      const layout = absolute(image.layout, folder)
      if (statSync(layout, { throwIfNoEntry: false }) === undefined)
        throw new PitlaneError(
          'VERIFICATION_FAILED',
          `there is no image layout at ${layout}, where the release has it: say where it is with --registry, or leave the images out with --no-images`,
        )
      // Absolute: a folder's name can look like that of a host.
      return context.registry(layout, '')
    },
  }
}

function registryNamed(name: string): string {
  try {
    if (isRegistryAddress(name)) {
      parseRegistryAddress(name)
      return name
    }
  } catch (error) {
    if (!(error instanceof PitlaneError)) throw error
  }
  throw new PitlaneError(
    'VERIFICATION_FAILED',
    `release.json names the registry ${JSON.stringify(name.slice(0, 200))}, which is no address of one`,
  )
}
