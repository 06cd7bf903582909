/** `latest` and `latest-<channel>`: one version and one newline, so that `$(curl …)` gives a version for ever. */
import { KEYS } from '../plan/keys.ts'
import type { Catalogue } from './catalogue.ts'

/** A channel without a release has no pointer. `stable` is `latest` and has no second name. */
export function pointerFiles(catalogue: Catalogue): readonly { readonly key: string; readonly text: string }[] {
  return [...catalogue.pointers].map(([channel, version]) => ({
    key: channel === 'stable' ? KEYS.latest : KEYS.latestOf(channel),
    text: `${version}\n`,
  }))
}
