/**
 * Bucket and image layout are folders of their own, also where `pitlane.yaml` gives them in a way that only the machine can tell: as an absolute
 * path, through `..` and the project's own name, or through a link.
 */
import { realpathSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { isS3Address } from '../buckets/address.ts'
import { PitlaneError } from '../errors.ts'
import { isRegistryAddress } from '../image/address.ts'
import { absolute } from './command.ts'
import type { Project } from './context.ts'

interface Places {
  readonly bucket: string
  readonly registry: string | null
}

/** Throws `CONFIG_INVALID`. */
export function requireOwnPlaces(
  { bucket, registry }: Places,
  { folder, file }: Pick<Project, 'folder' | 'file'>,
): void {
  const project = real(folder)
  const taken = ['.pitlane', '.git'].map((name) => real(join(project, name)))
  const refuse = (problem: string): never => {
    throw new PitlaneError('CONFIG_INVALID', `${file}: ${problem}`, {
      hint: 'Name a folder that nothing else uses, and commit that.',
    })
  }
  const places = [
    ...(isS3Address(bucket) ? [] : [['publish.bucket', bucket] as const]),
    ...(registry === null || isRegistryAddress(registry) ? [] : [['publish.registry', registry] as const]),
  ]
  const resolved = places.map(([key, location]) => ({ key, location, path: real(absolute(location, folder)) }))
  for (const { key, location, path } of resolved) {
    if (path === project) refuse(`${key}: expected a folder of its own, and ${location} is the project itself`)
    const inside = taken.find((name) => isInside(name, path))
    if (inside !== undefined) refuse(`${key}: expected a folder of its own, and ${location} is a place in ${inside}`)
  }
  const [first, second] = resolved
  if (
    first !== undefined &&
    second !== undefined &&
    (isInside(first.path, second.path) || isInside(second.path, first.path))
  )
    refuse(`publish.bucket and publish.registry lie inside each other: ${first.path} and ${second.path}`)
}

/** The path without links, as far as it is there. */
function real(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    const parent = dirname(path)
    return parent === path ? path : join(real(parent), basename(path))
  }
}

function isInside(outer: string, inner: string): boolean {
  const way = relative(outer, inner)
  return way === '' || !(way === '..' || way.startsWith('../'))
}
