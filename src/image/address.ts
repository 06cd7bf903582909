/**
 * The address of a registry, as `pitlane.yaml` and the command line write it: `HOST[:PORT][/NAMESPACE]`, or the same with a scheme. Pure.
 *
 * `docker.io` is Docker Hub, whose server has another name. Plain HTTP is spoken only where `http://` is written, or to this machine.
 */
import { PitlaneError } from '../errors.ts'
import { isRepository } from './names.ts'

export interface RegistryAddress {
  /** As people write it in image names: `docker.io`, `registry.example.org:5000`. */
  readonly host: string
  /** Where the server answers: scheme, host and port. */
  readonly origin: string
  /** In front of each repository: empty, or ending with `/`. */
  readonly namespace: string
}

/** All the names that Docker Hub goes by, in image names and in files with credentials. */
export const HUB_NAMES: readonly string[] = ['docker.io', 'index.docker.io', 'registry-1.docker.io', 'hub.docker.com']
const HUB: Omit<RegistryAddress, 'namespace'> = { host: 'docker.io', origin: 'https://registry-1.docker.io' }
const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?$/
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/

/** Whether the location is a registry's address, not a folder: a scheme, or a host's name with a dot or port and no `./` in front. */
export function isRegistryAddress(location: string): boolean {
  if (/^https?:\/\//i.test(location)) return true
  const first = location.split('/', 1)[0] ?? ''
  return HOST.test(first) && (/[^.]\.[^.]|:/.test(first) || first === 'localhost')
}

/** @throws PitlaneError `CONFIG_INVALID` */
export function parseRegistryAddress(location: string): RegistryAddress {
  if (location.length > 512) throw invalid('the address of a registry', 'is longer than 512 characters')
  if (location.includes('@'))
    throw new PitlaneError('CONFIG_INVALID', 'the address of a registry holds no credentials', {
      hint: 'Log in with docker login or podman login, or set DOCKER_AUTH.',
    })
  const [, scheme, rest = ''] = /^(?:(https?):\/\/)?(.*)$/is.exec(location) ?? []
  const [host = '', ...path] = rest.replace(/\/+$/, '').split('/')
  if (!HOST.test(host)) throw invalid(location, 'does not begin with the name of a host')
  const isHub = HUB_NAMES.includes(host.toLowerCase())
  // As `docker login` writes its address. Nobody there has so short a name.
  const namespace = isHub && /^v[12]$/.test(path.join('/')) ? '' : path.join('/')
  if (namespace !== '' && !isRepository(namespace)) throw invalid(location, `has the namespace '${namespace}'`)
  const server = isHub
    ? HUB
    : { host, origin: `${(scheme ?? (LOOPBACK.test(host) ? 'http' : 'https')).toLowerCase()}://${host}` }
  return { ...server, namespace: namespace === '' ? '' : `${namespace}/` }
}

/** Loopback in the name: nothing that is said to it leaves the machine. */
export function isLoopback(url: URL): boolean {
  return LOOPBACK.test(url.host)
}

function invalid(location: string, what: string): PitlaneError {
  return new PitlaneError('CONFIG_INVALID', `${location} ${what}`, {
    hint: 'Write a host, as docker.io or registry.example.org:5000/team, or a folder with ./ in front.',
  })
}
