/** Credentials on this machine: the files of `docker login`, and the helpers that it names. */
import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { PitlaneError, systemCode } from '../../errors.ts'
import type { CredentialSources } from './credentials.ts'

/** Milliseconds: a helper may ask a person to unlock something. */
const HELPER_TIMEOUT = 60_000
/** Bytes: more than any token. */
const LONGEST_ANSWER = 256 * 1024
/** What a helper says when it has nothing (docker-credential-helpers, `credentials/error.go`: the message is the protocol). */
const NOT_FOUND = /credentials not found|not found in (?:native )?keychain/i

export function machineCredentials(env: CredentialSources['env'], timeout = HELPER_TIMEOUT): CredentialSources {
  return { env, readFile: readConfig, askHelper: (name, host) => askHelper(name, host, env, timeout) }
}

async function readConfig(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return null
    throw new PitlaneError('CONFIG_INVALID', `${path} can't be read: ${systemCode(error) ?? String(error)}`, {
      hint: 'It holds the credentials of docker login: make it readable for this user, or set DOCKER_AUTH.',
      cause: error,
    })
  }
}

async function askHelper(
  name: string,
  host: string,
  env: CredentialSources['env'],
  timeout: number,
): Promise<{ readonly user: string; readonly secret: string } | null> {
  const program = `docker-credential-${name}`
  const failed = (what: string, cause?: unknown) =>
    new PitlaneError('CONFIG_INVALID', `the credential helper ${program} ${what}`, {
      hint: `Run: echo ${host} | ${program} get`,
      cause,
    })
  const child = spawn(program, ['get'], { env, stdio: ['pipe', 'pipe', 'ignore'] })
  // Also what it has started and left behind may hold its output open.
  const end = (what: string) => {
    child.kill('SIGKILL')
    child.stdout.destroy(failed(what))
  }
  const late = AbortSignal.timeout(timeout)
  const endLate = () => end(`did not end within ${timeout / 1000} s`)
  late.addEventListener('abort', endLate)
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('close', resolve)
    child.once('error', reject)
  })
  // One that ends without reading is judged by what it says.
  child.stdin.once('error', () => undefined)
  child.stdin.end(host)
  let said: string
  try {
    let size = 0
    child.stdout.on('data', (piece: Buffer) => {
      size += piece.length
      if (size > LONGEST_ANSWER) end('does not come to the end of its answer')
    })
    const [output, code] = await Promise.all([text(child.stdout), ended])
    if (code !== 0) {
      if (NOT_FOUND.test(output)) return null
      throw failed(`ended with ${code ?? 'a signal'}`)
    }
    said = output
  } catch (error) {
    throw error instanceof PitlaneError ? error : failed(`can't be run: ${systemCode(error) ?? String(error)}`, error)
  } finally {
    late.removeEventListener('abort', endLate)
  }
  try {
    const { Username: user, Secret: secret } = JSON.parse(said) as { Username?: unknown; Secret?: unknown }
    if (typeof user === 'string' && typeof secret === 'string') return { user, secret }
  } catch {
    // Told below, without a word of what may be a secret.
  }
  throw failed('answers in another way than helpers do')
}
