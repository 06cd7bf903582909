/** What a registry's answers say of manifests and tags. */
import { PitlaneError } from '../../errors.ts'
import type { Descriptor } from '../types.ts'
import { type HttpAnswer, shownUrl } from './http.ts'

/** As its headers tell it; null where they do not. */
export function descriptorOf(answer: HttpAnswer): Descriptor | null {
  const digest = answer.header('docker-content-digest')
  const size = answer.header('content-length')
  if (digest === null || size === null || !/^sha256:[0-9a-f]{64}$/.test(digest) || !/^\d+$/.test(size)) return null
  return { mediaType: mediaTypeOf(answer), digest, size: Number(size) }
}

export function mediaTypeOf(answer: HttpAnswer): string {
  return (answer.header('content-type') ?? '').split(';', 1)[0]?.trim() ?? ''
}

/** Throws FETCH_FAILED for anything else than a list of tags. */
export function tagsIn(bytes: Buffer, url: URL): readonly string[] {
  try {
    const { tags } = JSON.parse(bytes.toString('utf8')) as { tags?: unknown }
    // Null where a repository has lost its last one.
    if (tags === null || tags === undefined) return []
    if (Array.isArray(tags) && tags.every((tag) => typeof tag === 'string')) return tags
  } catch {
    // Told below.
  }
  throw new PitlaneError('FETCH_FAILED', `${shownUrl(url)}: not a list of tags`, {
    hint: 'Is that the address of a container registry?',
  })
}
