/**
 * Talking to one registry as one user: logs in where it is asked to, goes on after failures that pass, and never has more requests on
 * their way than a registry likes. Credentials go to the registry and to its token service, nowhere else.
 */
import type { Clock } from '../../clock.ts'
import { connectionMayWork } from '../../remote/connections.ts'
import { PitlaneError, systemCode } from '../../errors.ts'
import { RETRY, type RetryLimits, retrying } from '../../remote/retry.ts'
import type { RegistryAddress } from '../address.ts'
import { type Challenge, parseChallenge } from './challenge.ts'
import type { Credentials } from './credentials.ts'
import {
  bytesOf,
  discard,
  type HttpAnswer,
  type HttpRequest,
  locationOf,
  mayPass,
  Passing,
  retryAfter,
  type Send,
  shownUrl,
} from './http.ts'
import { Slots } from '../../remote/slots.ts'
import { basicHeader, loginHint, Tokens, unusedLogin } from './tokens.ts'

export interface SessionParts {
  readonly address: RegistryAddress
  readonly send: Send
  readonly clock: Clock
  readonly credentials: Credentials | null
  /** Whether `DOCKER_AUTH` is set and says nothing of this registry. */
  readonly lacksEntry?: boolean
  readonly limits?: RetryLimits
  /** Told when the registry asks to wait: milliseconds. */
  readonly onWait?: (host: string, milliseconds: number) => void
}

export interface Ask {
  readonly method: HttpRequest['method']
  /** Below `/v2/`, or where the registry sent us: a whole URL. */
  readonly to: string | URL
  /** What the token has to allow: `repository:NAME:pull,push`, several with spaces. */
  readonly scope: string
  readonly headers?: Readonly<Record<string, string>>
  /** Made anew for every attempt. */
  readonly body?: () => NonNullable<HttpRequest['body']>
  /** Statuses that are answers; any other is an error. */
  readonly expect: readonly number[]
  /** Statuses that may be others when all is begun anew. */
  readonly passing?: readonly number[]
}

/** One request, without another try: fails with `Passing` where one may help. */
export type AskOnce = (ask: Ask) => Promise<HttpAnswer>

/** Requests on their way at once, one for each connection: most are small, and wait for their answers. */
const AT_ONCE = 16
const HOPS = 5
const REDIRECTS = new Set([301, 302, 303, 307, 308])

export class Session {
  readonly #parts: SessionParts
  readonly #origin: URL
  readonly #tokens: Tokens
  readonly #slots: Slots
  #challenge: Challenge | null = null

  constructor(parts: SessionParts) {
    this.#parts = parts
    this.#origin = new URL(parts.address.origin)
    this.#tokens = new Tokens(parts)
    this.#slots = new Slots(parts.clock, AT_ONCE)
  }

  /** What is wrong with `DOCKER_AUTH`; null when nothing is. */
  get unused(): { readonly problem: string; readonly remedy: string } | null {
    return this.#parts.lacksEntry === true ? unusedLogin(this.#parts.address.host) : null
  }

  get loggedIn(): boolean {
    return this.#parts.credentials !== null
  }

  /**
   * @throws PitlaneError `REGISTRY_DENIED` when the credentials do not allow it; `FETCH_FAILED` for any other answer than the expected
   * ones, and when there is none
   */
  ask(ask: Ask): Promise<HttpAnswer> {
    return this.attempting((once) => once(ask))
  }

  /** Reads the answer, too: one that breaks off is asked for again. */
  askWhole(ask: Ask): Promise<HttpAnswer & { readonly bytes: Buffer }> {
    return this.attempting(async (once) => {
      const answer = await once(ask)
      const bytes = await bytesOf(answer)
      return { ...answer, bytes }
    })
  }

  /** Several requests that are begun anew together, as long as the failure of one may pass. */
  async attempting<T>(work: (once: AskOnce) => Promise<T>): Promise<T> {
    const { clock, limits = RETRY } = this.#parts
    const once: AskOnce = (ask) => this.#slots.use(() => this.#attempt(ask))
    try {
      return await retrying({ clock, limits }, () => work(once), passing)
    } catch (error) {
      throw error instanceof Passing ? error.failure : error
    }
  }

  async #attempt(ask: Ask): Promise<HttpAnswer> {
    const url = ask.to instanceof URL ? ask.to : new URL(`/v2/${ask.to}`, this.#origin)
    let answer = await this.#sendWithLogin(ask, url)
    for (let hop = 1; REDIRECTS.has(answer.status) && ['GET', 'HEAD'].includes(ask.method); hop += 1) {
      discard(answer)
      const next = locationOf(answer)
      if (next === null || hop > HOPS) throw unexpected(ask.method, answer)
      answer = await this.#sendWithLogin(ask, next)
    }
    if (ask.expect.includes(answer.status)) return answer
    if (answer.status === 401 || answer.status === 403) throw await denied(answer, this.#parts, this.#challenge)
    const failure = await refusal(ask.method, answer, this.#parts)
    if (!mayPass(answer.status) && ask.passing?.includes(answer.status) !== true) throw failure
    const wait = retryAfter(answer, this.#parts.clock)
    // 503 with a time says the same as 429.
    if (answer.status === 429 || wait > 0) this.#holdAll(wait)
    throw new Passing(failure, wait, answer.status)
  }

  async #sendWithLogin(ask: Ask, url: URL): Promise<HttpAnswer> {
    const own = url.origin === this.#origin.origin
    const { send } = this.#parts
    const request = (authorization: Record<string, string>) =>
      send({
        method: ask.method,
        url,
        headers: { ...ask.headers, ...authorization },
        ...(ask.body === undefined ? {} : { body: ask.body() }),
      })
    if (!own) return request({})
    const answer = await request(await this.#authorization(ask.scope))
    if (answer.status !== 401) return answer
    const challenge = parseChallenge(answer.header('www-authenticate'), this.#origin)
    discard(answer)
    this.#challenge = challenge
    if (challenge.scheme === 'basic') return request(basicHeader(this.#parts.credentials))
    // Expired on the way, or never asked for: a fresh one, and the request from its beginning.
    return request({ authorization: `Bearer ${await this.#tokens.fetch(challenge, ask.scope)}` })
  }

  async #authorization(scope: string): Promise<Record<string, string>> {
    const { credentials } = this.#parts
    if (credentials?.kind === 'registry-token') return { authorization: `Bearer ${credentials.token}` }
    if (this.#challenge === null) return {}
    if (this.#challenge.scheme === 'basic') return basicHeader(credentials)
    const token = this.#tokens.kept(scope) ?? (await this.#tokens.fetch(this.#challenge, scope))
    return { authorization: `Bearer ${token}` }
  }

  /** Everything to this host waits: each further request would lengthen it. */
  #holdAll(seconds: number): void {
    const { address, onWait, limits = RETRY } = this.#parts
    const milliseconds = Math.min(Math.max(seconds * 1000, limits.pause), limits.longest)
    this.#slots.hold(milliseconds)
    onWait?.(address.host, milliseconds)
  }
}

/** For `retrying`. */
function passing(error: unknown): number | null {
  if (error instanceof Passing) return error.wait
  // Without an answer: the network, not the registry.
  const broken = error instanceof PitlaneError && error.code === 'FETCH_FAILED' && error.cause !== undefined
  return broken && connectionMayWork(systemCode(error.cause) ?? '') ? 0 : null
}

async function denied(answer: HttpAnswer, parts: SessionParts, challenge: Challenge | null): Promise<PitlaneError> {
  const { credentials } = parts
  const said = await saidBy(answer, credentials)
  // A token service refuses a password itself; without one it is the registry that does.
  const isUnknown = answer.status === 401 && challenge?.scheme === 'basic' && credentials?.kind === 'password'
  return new PitlaneError('REGISTRY_DENIED', `${shownUrl(answer.url)} answered ${answer.status}${said}`, {
    hint:
      credentials === null
        ? loginHint(parts)
        : isUnknown
          ? 'User and password are refused: log in again with docker login, or correct DOCKER_AUTH.'
          : 'These credentials do not allow it: has the user the right to push to this repository?',
  })
}

async function refusal(
  method: string,
  answer: HttpAnswer,
  { credentials }: Pick<SessionParts, 'credentials'>,
): Promise<PitlaneError> {
  return unexpected(method, answer, await saidBy(answer, credentials))
}

function unexpected(method: string, answer: HttpAnswer, said = ''): PitlaneError {
  return new PitlaneError('FETCH_FAILED', `${method} ${shownUrl(answer.url)} answered ${answer.status}${said}`, {
    hint:
      answer.status >= 500 || answer.status === 429
        ? 'The registry failed for a while: the same command goes on later.'
        : 'Is that the address of a container registry?',
  })
}

/** Bytes of an error's text that are read. */
const SAID = 8192

/** The registry's own words: `{"errors":[{"code":…,"message":…}]}` (distribution specification 1.1, "Error codes"). */
async function saidBy(answer: HttpAnswer, credentials: Credentials | null): Promise<string> {
  const pieces: Buffer[] = []
  let size = 0
  try {
    for await (const piece of answer.body as AsyncIterable<Buffer>) {
      pieces.push(piece)
      size += piece.length
      if (size > SAID) break
    }
    const { errors } = JSON.parse(Buffer.concat(pieces).toString('utf8')) as { errors?: unknown }
    const first: unknown = Array.isArray(errors) ? errors[0] : null
    if (typeof first !== 'object' || first === null) return ''
    const { code, message } = first as Record<string, unknown>
    const words = [code, message].filter((word) => typeof word === 'string').join(': ')
    return words === '' ? '' : ` (${without(words.replace(/[\p{Cc}\s]+/gu, ' '), credentials).slice(0, 300)})`
  } catch {
    return ''
  }
}

/** A server that repeats what it was sent makes no secret of it: it stays one here. */
function without(words: string, credentials: Credentials | null): string {
  const secret = credentials?.kind === 'password' ? credentials.password : (credentials?.token ?? '')
  const sent = words.replace(/\b(basic|bearer)\s+[\w.~+/=-]{8,}/gi, '$1 …')
  return secret === '' ? sent : sent.replaceAll(secret, '…')
}
