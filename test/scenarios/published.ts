/** What readers find: every file of the bucket, and of the image layout every blob by what it is for. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** One line a path, sorted; a symbolic link or an empty folder would show as well. */
export function published(root: string): string[] {
  const bucket = filesBelow(join(root, 'bucket')).map((path) => `bucket${path}`)
  const images = filesBelow(join(root, 'images')).map((path) => `images${path}`)
  const roles = blobRoles(join(root, 'images'))
  return [...bucket, ...images.map((path) => roles.get(path) ?? path)].sort()
}

function filesBelow(path: string): string[] {
  if (!existsSync(path)) return []
  if (!statSync(path).isDirectory()) return [' (not a folder)']
  const entries = readdirSync(path, { withFileTypes: true })
  return entries.flatMap((entry) =>
    entry.isDirectory()
      ? filesBelow(join(path, entry.name)).map((below) => `/${entry.name}${below}`)
      : [`/${entry.name}${entry.isFile() ? '' : ' (not a file)'}`],
  )
}

interface Manifest {
  readonly manifests?: readonly Descriptor[]
  readonly config?: Descriptor
  readonly layers?: readonly Descriptor[]
}
interface Descriptor {
  readonly digest: string
  readonly annotations?: Record<string, string>
  readonly platform?: { readonly architecture: string; readonly variant?: string }
}

/** A blob that nothing names has no role, and is listed by its digest. */
function blobRoles(layout: string): Map<string, string> {
  const roles = new Map<string, string>()
  const blob = (digest: string) => `images/blobs/${digest.replace(':', '/')}`
  const read = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Manifest
  if (!existsSync(join(layout, 'index.json'))) return roles
  for (const entry of read(join(layout, 'index.json')).manifests ?? []) {
    const tag = entry.annotations?.['org.opencontainers.image.ref.name'] ?? 'untagged'
    roles.set(blob(entry.digest), `images/blobs: what ${tag} names`)
    const path = join(layout, '..', blob(entry.digest))
    if (!existsSync(path)) continue
    const { config, layers, manifests } = read(path)
    for (const platform of manifests ?? []) {
      if (!existsSync(join(layout, '..', blob(platform.digest))))
        throw new Error(`${tag}: ${platform.digest} is missing`)
    }
    if (config !== undefined) roles.set(blob(config.digest), `images/blobs: configuration of ${tag}`)
    for (const layer of layers ?? []) roles.set(blob(layer.digest), `images/blobs: layer of ${tag}`)
  }
  return roles
}
