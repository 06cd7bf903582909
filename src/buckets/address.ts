/**
 * The address of a bucket on an S3 server, as `pitlane.yaml` and the command line write it:
 *
 *     s3://BUCKET[/PREFIX][?endpoint=URL][&region=NAME][&style=path|host][&ca=FILE]
 *
 * Without `endpoint` it is Amazon's. Credentials are never part of it. Pure.
 */
import { PitlaneError } from '../errors.ts'
import { nearest } from '../words/nearest.ts'
import { keyFault } from './key.ts'

export interface S3Address {
  readonly bucket: string
  /** What each key begins with: empty, or ending with `/`. */
  readonly prefix: string
  /** An origin: scheme, host and port. Null: Amazon's. */
  readonly endpoint: string | null
  readonly region: string | null
  /** `path`: the bucket in the path (`endpoint/bucket/key`); `host`: in front of the host's name. */
  readonly style: 'path' | 'host'
  /** PEM file of the authorities to believe instead of the system's, as written. */
  readonly ca: string | null
}

const PARAMETERS = ['endpoint', 'region', 'style', 'ca'] as const
/** Amazon's rule for general purpose buckets ("Bucket naming rules" of the S3 user guide), which others follow or widen little. */
const BUCKET_NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/
const REGION = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
const LONGEST = 2048

export function isS3Address(location: string): boolean {
  return /^s3:/i.test(location)
}

/** @throws PitlaneError `CONFIG_INVALID` */
export function parseS3Address(location: string): S3Address {
  if (location.length > LONGEST) throw invalid('an S3 address', `is longer than ${LONGEST} characters`)
  // Never shown: it would be the secret. In the endpoint too.
  if (/\/\/[^/?#&]*(@|%40)/i.test(location))
    throw new PitlaneError('CONFIG_INVALID', 'an S3 address holds no credentials', {
      hint: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile of the AWS configuration.',
    })
  // A URL has no such segments: they would be taken as if they had not been written.
  if (/\/(\.|%2e){1,2}(\/|\?|$)/i.test(location.replace(/\?.*$/, '')))
    throw invalid(location, 'has . or .. in the path')
  const url = URL.canParse(location) ? new URL(location) : null
  if (url === null || !location.startsWith('s3://')) throw invalid(location, 'does not begin with s3://BUCKET')
  if (url.port !== '') throw invalid(location, 'has a port after the bucket: it belongs to the endpoint')
  if (url.hash !== '') throw invalid(location, 'has a #fragment, which means nothing here')
  if (!BUCKET_NAME.test(url.hostname) || url.hostname.includes('..'))
    throw invalid(location, `names the bucket '${url.hostname}': 3 to 63 lower-case letters, digits, - and .`)
  const parameters = parametersOf(url, location)
  const region = parameters.get('region') ?? null
  if (region !== null && !REGION.test(region)) throw invalid(location, `has the region '${region}'`)
  const endpoint = endpointOf(parameters.get('endpoint'), location)
  const style = parameters.get('style') ?? (endpoint === null ? 'host' : 'path')
  if (style !== 'path' && style !== 'host') throw invalid(location, `has style=${style}: it is path or host`)
  return {
    bucket: url.hostname,
    prefix: prefixOf(url, location),
    endpoint,
    region,
    style,
    ca: parameters.get('ca') ?? null,
  }
}

/** The address as it is shown: without what only says how to get there. */
export function shownAddress({ bucket, prefix, endpoint }: S3Address): string {
  return `s3://${bucket}${prefix === '' ? '' : `/${prefix.slice(0, -1)}`}${endpoint === null ? '' : ` at ${endpoint}`}`
}

function parametersOf(url: URL, location: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>()
  for (const [name, value] of url.searchParams) {
    if (!PARAMETERS.some((known) => known === name)) {
      const close = nearest(name, PARAMETERS)
      throw invalid(location, `has the parameter '${name}'`, close === null ? undefined : `Did you mean '${close}'?`)
    }
    if (parameters.has(name)) throw invalid(location, `has the parameter '${name}' twice`)
    if (value === '') throw invalid(location, `has the parameter '${name}' without a value`)
    parameters.set(name, value)
  }
  return parameters
}

function endpointOf(value: string | undefined, location: string): string | null {
  if (value === undefined) return null
  const url = URL.canParse(value) ? new URL(value) : null
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.origin !== value.replace(/\/$/, ''))
    throw invalid(location, `has endpoint=${value}: it is https:// or http://, a host and perhaps a port`)
  return url.origin
}

function prefixOf(url: URL, location: string): string {
  let path: string
  try {
    path = decodeURIComponent(url.pathname.replace(/^\/+|\/+$/g, ''))
  } catch {
    throw invalid(location, 'has a prefix that is not valid percent-encoding')
  }
  if (path === '') return ''
  const fault = keyFault(path)
  if (fault !== null) throw invalid(location, `has a prefix that can't be one: ${fault}`)
  return `${path}/`
}

function invalid(location: string, what: string, hint = 'Write s3://BUCKET/PREFIX?endpoint=https://…&region=….') {
  return new PitlaneError('CONFIG_INVALID', `${location} ${what}`, { hint })
}
