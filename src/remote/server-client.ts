/** Asking a server, as `PITLANE_SERVER` and `PITLANE_TOKEN` say; Drone's names for the two are read as well. */
import { z } from 'zod'
import { PitlaneError, systemCode } from '../errors.ts'

/** Milliseconds until an answer is there, whole. */
const TIMEOUT = 30_000
const Said = z.object({ message: z.string() })

export interface ServerClient {
  /** Throws `SERVER_DENIED`, `NOT_FOUND`, `FETCH_FAILED`. */
  ask<T>(method: 'GET' | 'POST' | 'DELETE', path: string, shape: z.ZodType<T>): Promise<T>
}

export function serverClient(env: Readonly<Record<string, string | undefined>>): ServerClient {
  const server = env['PITLANE_SERVER'] ?? env['DRONE_SERVER']
  const token = env['PITLANE_TOKEN'] ?? env['DRONE_TOKEN']
  if (server === undefined || token === undefined || !URL.canParse(server))
    throw new PitlaneError('USAGE', 'which server is meant is not known: PITLANE_SERVER and PITLANE_TOKEN say it', {
      hint: '`pitlane serve` prints both when it starts.',
    })
  const base = server.replace(/\/+$/, '')
  return {
    async ask(method, path, shape) {
      const url = `${base}/api${path}`
      const answer = await fetch(url, {
        method,
        headers: { authorization: `Bearer ${token}` },
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT),
      }).catch((error: unknown) => {
        throw unreachable(base, error)
      })
      const body: unknown = await answer.json().catch(() => null)
      if (!answer.ok) throw refused(url, answer.status, Said.safeParse(body).data?.message ?? '')
      const parsed = shape.safeParse(body)
      if (parsed.success) return parsed.data
      throw new PitlaneError('FETCH_FAILED', `${url} answers something else than was asked for`, {
        hint: 'Is a Pitlane of this version, or Drone, behind PITLANE_SERVER?',
      })
    },
  }
}

function unreachable(base: string, error: unknown): PitlaneError {
  const { cause } = error as { cause?: unknown }
  const why = systemCode(cause) ?? (error instanceof Error ? error.message : String(error))
  return new PitlaneError('FETCH_FAILED', `${base}: ${why}`, {
    hint: 'Does the server run, and is PITLANE_SERVER its address?',
    cause: error,
  })
}

function refused(url: string, status: number, message: string): PitlaneError {
  if (status === 401 || status === 403)
    return new PitlaneError('SERVER_DENIED', `${url} answered ${status} (${message})`, {
      hint: status === 401 ? 'Is PITLANE_TOKEN the one that this server printed?' : 'It takes an admin of the server.',
    })
  if (status === 404)
    return new PitlaneError('NOT_FOUND', message, { hint: 'What there is: pitlane repo ls, pitlane build ls.' })
  return new PitlaneError('FETCH_FAILED', `${url} answered ${status} (${message})`, {
    hint: 'The log of the server says more.',
  })
}
