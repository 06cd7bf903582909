/**
 * Tokens of a registry's token service, one for each scope, kept until shortly before they end. ("Token authentication" and "OAuth2
 * authentication" of the distribution project's specification; the answer's field is `token` or `access_token`.)
 */
import type { Clock } from '../../clock.ts'
import { PitlaneError } from '../../errors.ts'
import type { Challenge } from './challenge.ts'
import type { RegistryAddress } from '../address.ts'
import type { Credentials } from './credentials.ts'
import { bytesOf, mayPass, Passing, retryAfter, type Send, shownUrl } from './http.ts'

type Bearer = Extract<Challenge, { scheme: 'bearer' }>

interface Kept {
  readonly token: string
  /** By `Clock.monotonic`. */
  readonly until: number
}

/** Seconds, where the service does not say: the specification's own. */
const DEFAULT_LIFE = 60
/** A token is not used in the last part of its life: the request it goes with takes time. */
const USED = 0.8

interface TokenParts {
  readonly address: Pick<RegistryAddress, 'host'>
  readonly send: Send
  readonly clock: Clock
  readonly credentials: Credentials | null
  readonly lacksEntry?: boolean
}

export class Tokens {
  readonly #send: Send
  readonly #clock: Clock
  readonly #credentials: Credentials | null
  readonly #kept = new Map<string, Kept>()
  readonly #asked = new Map<string, Promise<Kept>>()

  readonly #login: string | null

  constructor(parts: TokenParts) {
    this.#send = parts.send
    this.#clock = parts.clock
    this.#credentials = parts.credentials
    this.#login = parts.credentials === null ? loginHint(parts) : null
  }

  /** One that allows it, perhaps more: what may push may pull, and one may be for several repositories. */
  kept(scope: string): string | null {
    const now = this.#clock.monotonic()
    const exact = this.#kept.get(scope)
    if (exact !== undefined && exact.until > now) return exact.token
    for (const [scopes, { token, until }] of this.#kept) {
      const words = scopes.split(' ')
      const allows = words.includes(scope) || words.includes(scope.replace(/:pull$/, ':pull,push'))
      if (allows && until > now) return token
    }
    return null
  }

  /** A fresh one; requests that ask at the same time share it. */
  async fetch(challenge: Bearer, scope: string): Promise<string> {
    const asked = this.#asked.get(scope) ?? this.#ask(challenge, scope)
    this.#asked.set(scope, asked)
    try {
      const kept = await asked
      this.#kept.set(scope, kept)
      return kept.token
    } finally {
      this.#asked.delete(scope)
    }
  }

  async #ask(challenge: Bearer, scope: string): Promise<Kept> {
    const asked = this.#clock.monotonic()
    const answer = await this.#send(this.#request(challenge, scope))
    const text = (await bytesOf(answer)).toString('utf8')
    if (answer.status !== 200) {
      const failure = refused(answer.url, answer.status, this.#login)
      throw mayPass(answer.status) ? new Passing(failure, retryAfter(answer, this.#clock), answer.status) : failure
    }
    const { token, access_token: access, expires_in: life } = parse(text)
    const found = typeof token === 'string' && token !== '' ? token : access
    if (typeof found !== 'string' || !/^[\x21-\x7e]+$/.test(found)) throw refused(answer.url, 200, this.#login)
    const seconds = typeof life === 'number' && life > 0 ? Math.min(life, 3600) : DEFAULT_LIFE
    return { token: found, until: asked + seconds * 1000 * USED }
  }

  #request({ realm, service }: Bearer, scope: string) {
    const credentials = this.#credentials
    if (credentials?.kind === 'identity-token') {
      const form = new URLSearchParams({
        grant_type: 'refresh_token',
        refresh_token: credentials.token,
        client_id: 'pitlane',
        scope,
        ...(service === null ? {} : { service }),
      })
      const headers = { 'content-type': 'application/x-www-form-urlencoded' }
      return { method: 'POST', url: realm, headers, body: Buffer.from(form.toString()) } as const
    }
    const url = new URL(realm)
    if (service !== null) url.searchParams.set('service', service)
    // One parameter for each: some services honour only the first word of a list.
    for (const one of scope.split(' ')) if (one !== '') url.searchParams.append('scope', one)
    return { method: 'GET', url, headers: basicHeader(credentials) } as const
  }
}

export function basicHeader(credentials: Credentials | null): Record<string, string> {
  if (credentials?.kind !== 'password') return {}
  const pair = Buffer.from(`${credentials.user}:${credentials.password}`).toString('base64')
  return { authorization: `Basic ${pair}` }
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

export function unusedLogin(host: string): { readonly problem: string; readonly remedy: string } {
  return {
    problem: `DOCKER_AUTH is set, and has no entry for ${host}`,
    remedy: `add one to its "auths", or log in with docker login ${host}`,
  }
}

/** For whoever has no credentials. */
export function loginHint({ address: { host }, lacksEntry }: Pick<TokenParts, 'address' | 'lacksEntry'>): string {
  const { problem, remedy } = unusedLogin(host)
  return lacksEntry === true ? `${problem}: ${remedy}.` : `Log in with docker login ${host}, or set DOCKER_AUTH.`
}

/** @param login what to do without credentials; null where there are some */
function refused(url: URL, status: number, login: string | null): PitlaneError {
  const what = status === 200 ? 'answered without a token' : `answered ${status}`
  const hint = login ?? 'User and password are refused: log in again with docker login, or correct DOCKER_AUTH.'
  const failed = status === 200 || mayPass(status)
  return new PitlaneError(failed ? 'FETCH_FAILED' : 'REGISTRY_DENIED', `the token service ${shownUrl(url)} ${what}`, {
    hint: failed ? 'The token service failed for a while: the same command goes on later.' : hint,
  })
}
