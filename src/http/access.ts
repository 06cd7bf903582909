/** Who asks: by a token (`Authorization: Bearer`, or Drone's `access_token`), or by the cookie of a session. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { sha256Of } from '../bytes/digest.ts'
import { type UserRow, userByLogin, userByToken } from '../database/queries/users.ts'
import type { HttpParts } from './parts.ts'

export const SESSION = '_session_'
/** Milliseconds: two weeks. */
const SESSION_LIFE = 14 * 24 * 3_600_000

export async function userOf(parts: HttpParts, request: FastifyRequest): Promise<UserRow | undefined> {
  const token = tokenOf(request)
  // Looked up by its digest: how long that takes says nothing of the token.
  if (token !== undefined) return userByToken(parts.writer.db, sha256Of(token))
  const login = loginOf(parts, cookieOf(request, SESSION))
  return login === null ? undefined : userByLogin(parts.writer.db, login)
}

function tokenOf(request: FastifyRequest): string | undefined {
  const header = /^Bearer (\S{1,200})$/i.exec(request.headers.authorization ?? '')?.[1]
  if (header !== undefined) return header
  const { access_token: asked } = request.query as Record<string, unknown>
  return typeof asked === 'string' ? asked : undefined
}

/** `login.until.mac`, the login in base64url. */
export function sessionFor(parts: HttpParts, login: string): { readonly value: string; readonly maxAge: number } {
  const body = `${Buffer.from(login).toString('base64url')}.${parts.clock.now() + SESSION_LIFE}`
  return { value: `${body}.${mac(parts.secret, body)}`, maxAge: SESSION_LIFE / 1000 }
}

function loginOf({ secret, clock }: HttpParts, cookie: string | undefined): string | null {
  const [, body, login = '', until, given = ''] = /^(([\w-]+)\.(\d{1,16}))\.([\w-]+)$/.exec(cookie ?? '') ?? []
  if (body === undefined || Number(until) < clock.now() || !same(given, mac(secret, body))) return null
  return Buffer.from(login, 'base64url').toString()
}

function mac(secret: Buffer, body: string): string {
  return createHmac('sha256', secret).update(`session ${body}`).digest('base64url')
}

/** In constant time for texts of one length. */
export function same(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}

function cookieOf(request: FastifyRequest, name: string): string | undefined {
  return (request.headers.cookie ?? '')
    .split(';')
    .map((part) => part.trim())
    .find((part) => part.startsWith(`${name}=`))
    ?.slice(name.length + 1)
}
