/** `latest` and `latest-<channel>`: one version and one newline, so that `$(curl …)` gives a version for ever. */
import { KEYS } from '../plan/keys.ts'
import type { Catalogue } from './catalogue.ts'

/**
 * A channel without a whole release has no pointer. One of which everything is withdrawn has an empty one: what stood there must not be found any
 * more. `stable` is `latest` and has no second name.
 */
export function pointerFiles(catalogue: Catalogue): readonly { readonly key: string; readonly text: string }[] {
  return catalogue.channels.map((channel) => {
    const version = catalogue.pointers.get(channel)
    return {
      key: channel === 'stable' ? KEYS.latest : KEYS.latestOf(channel),
      text: version === undefined ? '' : `${version}\n`,
    }
  })
}
