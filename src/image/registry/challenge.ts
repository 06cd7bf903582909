/** What a registry asks for when it answers 401: the `WWW-Authenticate` header (RFC 9110, 11.6.1) and where its token service may be. Pure. */
import { PitlaneError } from '../../errors.ts'
import { isLoopback } from '../address.ts'

export type Challenge =
  | { readonly scheme: 'basic' }
  | { readonly scheme: 'bearer'; readonly realm: URL; readonly service: string | null }

/** Characters; the ones that registries send have some two hundred. */
const LONGEST = 4096
const PARAMETER = /([a-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/gi

/** @throws PitlaneError `FETCH_FAILED` when it asks for something that is not done here, or sends to somewhere credentials must not go */
export function parseChallenge(header: string | null, registry: URL): Challenge {
  const [, scheme = '', rest = ''] = /^\s*([a-z]+)\s*(.*)$/is.exec(header?.slice(0, LONGEST) ?? '') ?? []
  if (scheme.toLowerCase() === 'basic') return { scheme: 'basic' }
  if (scheme.toLowerCase() !== 'bearer')
    throw refused(
      registry,
      scheme === '' ? 'asks for a login without saying how' : `asks for a login by '${scheme.slice(0, 40)}'`,
    )
  const parameters = new Map<string, string>()
  for (const [, name = '', quoted, plain] of rest.matchAll(PARAMETER))
    parameters.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? plain ?? '')
  const realm = parameters.get('realm') ?? ''
  if (!URL.canParse(realm)) throw refused(registry, 'names no token service')
  const url = new URL(realm)
  const encrypted = url.protocol === 'https:' || (url.protocol === 'http:' && registry.protocol === 'http:')
  if (!encrypted || url.username !== '' || url.password !== '')
    throw refused(registry, `names a token service that credentials are not sent to: ${url.origin}`)
  // A server out there has no business with what listens on this machine only.
  if (isLoopback(url) && !isLoopback(registry)) throw refused(registry, 'names a token service on this machine')
  return { scheme: 'bearer', realm: url, service: parameters.get('service') ?? null }
}

function refused(registry: URL, what: string): PitlaneError {
  return new PitlaneError('FETCH_FAILED', `the registry ${registry.host} ${what}`, {
    hint: 'Is that the address of a container registry?',
  })
}
