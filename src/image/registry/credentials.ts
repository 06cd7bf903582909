/**
 * Credentials for a registry, found where `docker` and `podman` keep them: `DOCKER_AUTH` (the text of a config.json), then config.json of
 * `$DOCKER_CONFIG` or the home folder, with its helpers (docker/cli documentation, "docker login": credential stores and helpers).
 */
import { PitlaneError } from '../../errors.ts'
import { HUB_NAMES } from '../address.ts'

export type Credentials =
  | { readonly kind: 'password'; readonly user: string; readonly password: string }
  /** An OAuth2 refresh token, which the token service takes instead of a password. */
  | { readonly kind: 'identity-token'; readonly token: string }
  /** A bearer token for the registry itself. */
  | { readonly kind: 'registry-token'; readonly token: string }

export interface CredentialSources {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Null: there is no such file. */
  readFile(path: string): Promise<string | null>
  /** Runs `docker-credential-NAME get` with the host on its standard input. Null: it knows none. */
  askHelper(name: string, host: string): Promise<{ readonly user: string; readonly secret: string } | null>
}

interface Entry {
  readonly [name: string]: unknown
}

/** @returns null when there are none: then the registry is used as anybody may. */
export async function findCredentials(host: string, sources: CredentialSources): Promise<Credentials | null> {
  const { env } = sources
  const inline = env['DOCKER_AUTH']
  if (inline !== undefined && inline.trim() !== '') {
    const found = await fromConfig(parse(inline, 'DOCKER_AUTH'), 'DOCKER_AUTH', host, sources)
    if (found !== null) return found
  }
  const folder = env['DOCKER_CONFIG'] || (env['HOME'] === undefined ? null : `${env['HOME']}/.docker`)
  if (folder === null) return null
  const file = `${folder}/config.json`
  const text = await sources.readFile(file)
  return text === null ? null : await fromConfig(parse(text, file), file, host, sources)
}

/** Whether there is a `DOCKER_AUTH` that says nothing of the registry: whoever set it thinks that it is used. */
export function lacksEntry(host: string, env: CredentialSources['env']): boolean {
  const inline = env['DOCKER_AUTH'] ?? ''
  if (inline.trim() === '') return false
  const config = parse(inline, 'DOCKER_AUTH')
  const names = namesOf(host)
  const store = config['credsStore']
  if (typeof store === 'string' && store !== '') return false
  return ['credHelpers', 'auths'].every((name) => entryFor(section(config, name), names) === undefined)
}

function namesOf(host: string): readonly string[] {
  return HUB_NAMES.includes(host) ? HUB_NAMES : [host]
}

async function fromConfig(
  config: Entry,
  where: string,
  host: string,
  sources: CredentialSources,
): Promise<Credentials | null> {
  const names = namesOf(host)
  const helper = entryFor(section(config, 'credHelpers'), names) ?? config['credsStore']
  if (typeof helper === 'string' && helper !== '') {
    if (!/^[A-Za-z0-9._-]+$/.test(helper))
      throw invalid(where, 'the name of a credential helper has other characters than letters, digits, ., _ and -')
    // Helpers know Docker Hub by its oldest name only.
    const found = await sources.askHelper(helper, HUB_NAMES.includes(host) ? 'https://index.docker.io/v1/' : host)
    if (found !== null)
      return found.user === '<token>'
        ? { kind: 'identity-token', token: found.secret }
        : { kind: 'password', user: found.user, password: found.secret }
  }
  const entry = entryFor(section(config, 'auths'), names)
  return typeof entry === 'object' && entry !== null ? fromEntry(entry as Entry, where) : null
}

function fromEntry(entry: Entry, where: string): Credentials | null {
  const text = (name: string) => (typeof entry[name] === 'string' && entry[name] !== '' ? entry[name] : null)
  const registryToken = text('registrytoken')
  if (registryToken !== null) return { kind: 'registry-token', token: registryToken }
  const identityToken = text('identitytoken')
  if (identityToken !== null) return { kind: 'identity-token', token: identityToken }
  const user = text('username')
  const password = text('password')
  if (user !== null && password !== null) return { kind: 'password', user, password }
  const auth = text('auth')
  // Written empty by logins that keep the password in a helper.
  if (auth === null) return null
  const pair = Buffer.from(auth, 'base64').toString('utf8').replace(/\0+$/, '')
  const colon = pair.indexOf(':')
  if (colon < 1) throw invalid(where, '"auth" of an entry is not the base64 of USER:PASSWORD')
  return { kind: 'password', user: pair.slice(0, colon), password: pair.slice(colon + 1) }
}

/** Keys are hosts in several spellings: with a scheme, a path (`/v1/`), a slash at the end. */
function entryFor(entries: Entry, names: readonly string[]): unknown {
  for (const name of names) {
    for (const [key, value] of Object.entries(entries)) {
      const bare = key.replace(/^https?:\/\//i, '').split('/', 1)[0]
      if (bare?.toLowerCase() === name.toLowerCase()) return value
    }
  }
  return undefined
}

function section(config: Entry, name: string): Entry {
  const value = config[name]
  return typeof value === 'object' && value !== null ? (value as Entry) : {}
}

/** What it holds is secret: no word of it is ever shown. */
function parse(text: string, where: string): Entry {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw invalid(where, 'it is not JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(where, 'it is not a JSON object')
  return value as Entry
}

function invalid(where: string, what: string): PitlaneError {
  return new PitlaneError('CONFIG_INVALID', `the credentials for registries in ${where} can't be read: ${what}`, {
    hint: 'It looks like {"auths":{"HOST":{"auth":"BASE64 OF USER:PASSWORD"}}}; docker login writes it.',
  })
}
