/** What the values of `publish` have to mean together: folders of their own, or addresses of servers. */
import { posix } from 'node:path'
import { isS3Address, parseS3Address } from '../../../buckets/address.ts'
import { PitlaneError } from '../../../errors.ts'
import { isRegistryAddress, parseRegistryAddress } from '../../../image/address.ts'
import { type Problem, problem } from './problems.ts'
import type { PitlaneFile } from './schema.ts'

type Publish = NonNullable<PitlaneFile['publish']>

/** @param image whether the release has one; null when the release itself could not be read */
export function publishRules(publish: Publish, image: boolean | null): readonly Problem[] {
  const { bucket, registry } = publish
  const problems = [
    ...(isS3Address(bucket) ? addressRules('bucket', bucket, parseS3Address) : folderRules('bucket', bucket)),
    ...(registry === undefined ? [] : registryRules(registry)),
  ]
  if (image === true && registry === undefined) {
    const message = 'the key "registry" is missing: release.image needs a registry, or a folder for the image'
    problems.push(problem(['publish'], message))
  }
  if (image === false && registry !== undefined) {
    problems.push(
      problem(['publish', 'registry'], 'publish.registry: there is no release.image that would go there', 'key'),
    )
  }
  if (registry !== undefined && !isS3Address(bucket) && !isRegistryAddress(registry))
    problems.push(...separateRules(bucket, registry))
  return [...problems, ...publicRules(publish)]
}

/** Readers of image layouts (skopeo, podman) look among its entries for OCI's media types alone: they would not find such an image. */
export function formatRules(release: PitlaneFile['release'], publish: Publish | undefined): readonly Problem[] {
  const registry = publish?.registry
  if (release?.image?.format !== 'docker' || registry === undefined || isRegistryAddress(registry)) return []
  const message = 'release.image.format: docker is for registries; publish.registry is a folder, an OCI image layout'
  return [problem(['release', 'image', 'format'], message)]
}

/** Two folders that both belong to what is published, and not to each other. */
function separateRules(bucket: string, registry: string): readonly Problem[] {
  const told = (how: string) => [problem(['publish', 'registry'], `publish.bucket and publish.registry ${how}`)]
  const [inBucket, inRegistry] = [isInside(bucket, registry), isInside(registry, bucket)]
  if (inBucket && inRegistry) return told('are the same folder')
  if (inBucket) return told('lie inside each other: the registry in the bucket')
  return inRegistry ? told('lie inside each other: the bucket in the registry') : []
}

function publicRules({ bucket, public: address }: Publish): readonly Problem[] {
  const told = (message: string) => [problem(['publish', 'public'], `publish.public: ${message}`)]
  if (address === undefined) {
    if (!isS3Address(bucket)) return []
    return [problem(['publish'], 'the key "public" is missing: the address under which people read the S3 bucket')]
  }
  const url = new URL(address)
  if (isS3Address(bucket) && url.protocol === 'file:') return told('an S3 bucket is read at an http or https address')
  return [
    ...(url.username === '' && url.password === ''
      ? []
      : told('an address with a user or password would be published')),
    ...(url.search === '' && url.hash === '' ? [] : told('expected an address without "?" and "#"')),
  ]
}

function registryRules(registry: string): readonly Problem[] {
  if (isRegistryAddress(registry)) return addressRules('registry', registry, parseRegistryAddress)
  return folderRules('registry', registry)
}

function addressRules(key: 'bucket' | 'registry', location: string, parse: (location: string) => unknown) {
  try {
    parse(location)
    return []
  } catch (error) {
    if (!(error instanceof PitlaneError)) throw error
    return [problem(['publish', key], `publish.${key}: ${error.message}`)]
  }
}

function folderRules(key: 'bucket' | 'registry', folder: string): readonly Problem[] {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(folder)?.[1]
  if (scheme !== undefined) {
    const known = key === 'bucket' ? 's3://BUCKET?endpoint=…' : 'HOST[:PORT], or https://HOST'
    const message = `publish.${key}: "${scheme}://" is no address that is published to; give a folder, or ${known}`
    return [problem(['publish', key], message)]
  }
  if (posix.normalize(`${folder}/`) === './') {
    return [problem(['publish', key], `publish.${key}: expected a folder of its own, found the project itself`)]
  }
  if (/^~[^/]*(\/|$)/.test(folder)) {
    return [problem(['publish', key], `publish.${key}: "~" is a folder of that name here; write the home folder out`)]
  }
  // Who moves the state away, as errors say, would move what is published along.
  const taken = ['.pitlane', '.git'].find((name) => isInside(name, posix.normalize(folder)))
  if (taken !== undefined) {
    return [problem(['publish', key], `publish.${key}: expected a folder of its own, found a place in ${taken}`)]
  }
  return []
}

/** Whether `inner` is `outer` or below it. A relative and an absolute path are compared by `cli/places.ts`, where the folder of the project is known. */
function isInside(outer: string, inner: string): boolean {
  if (posix.isAbsolute(outer) !== posix.isAbsolute(inner)) return false
  // As deep as both paths climb at most, so that every ".." has a folder to leave.
  const base = `/${'x/'.repeat(2048)}`
  const relative = posix.relative(posix.resolve(base, outer), posix.resolve(base, inner))
  return relative === '' || !(relative === '..' || relative.startsWith('../'))
}
