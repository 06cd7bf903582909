/**
 * Addresses that stay: `_releases/_latest/<target>/<binary>` sends readers on to the file of the newest stable release, with its checksum and signature
 * beside it. Written only where a probe has shown that the public address sends readers on.
 */
import { KEYS } from '../plan/keys.ts'
import { absoluteUrl } from '../plan/key-url.ts'
import { besideFiles } from '../release/document.ts'
import type { Catalogue } from './catalogue.ts'

export interface StableLink {
  /** Key in the bucket. */
  readonly key: string
  /** Address of what it leads to. */
  readonly to: string
}

/** None where nothing is offered, or readers are not sent on. */
export function stableLinks({ baseUrl, all, pointers, stableLinks: isAble }: Catalogue): readonly StableLink[] {
  const newest = all.find(({ version }) => version === pointers.get('stable'))
  if (!isAble || newest === undefined) return []
  return newest.files.flatMap(({ target, name, path }) =>
    ['', ...besideFiles(newest)].map((side) => ({
      key: `${KEYS.stable(target, name)}${side}`,
      to: absoluteUrl(baseUrl, `${path}${side}`),
    })),
  )
}
