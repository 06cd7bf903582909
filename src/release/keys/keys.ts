/** Where the signing key comes from, and how a new one is made. Environment and files are given, so that nothing else is ever read. */
import { join } from 'node:path'
import { PitlaneError } from '../../errors.ts'
import { shellWord } from '../../words/shell-word.ts'
import { KEY_BYTES, privateKeyOf, rawPublicKey } from './ed25519.ts'
import { encodeSecretKey, KEY_ID_BYTES, type MinisignSecretKey, parseSecretKey } from './minisign.ts'
import { formsOf, type PublicKeyForms } from './public-key.ts'

/** The secret key file's content, or its path. */
export const KEY_VARIABLE = 'PITLANE_SIGNING_KEY'

export type Environment = Readonly<Record<string, string | undefined>>

/** Access to key files; `key-files.ts` is the real one. */
export interface KeyFiles {
  /** Text and permission bits of a file, or null when it is absent. Fails with `KEY_INVALID` when it can't be a key file. */
  read(path: string): Promise<{ readonly text: string; readonly mode: number } | null>
  /** Writes a new file of mode 0600, whole and durable, and never over another: `FILE_EXISTS`. */
  create(path: string, text: string): Promise<void>
}

export interface LoadedKey {
  readonly key: MinisignSecretKey
  /** Where it was found, for people: a path, or the name of the variable. */
  readonly from: string
}

export interface GeneratedKey {
  readonly path: string
  readonly publicKey: PublicKeyForms
}

/**
 * The default place of a project's key: `${XDG_CONFIG_HOME:-~/.config}/pitlane/<project>.key` (XDG base directory specification: a
 * relative XDG_CONFIG_HOME is ignored). Null when the environment has no home.
 */
export function defaultKeyPath(project: string, env: Environment): string | null {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(project)) {
    throw new PitlaneError('KEY_INVALID', `${JSON.stringify(project)} cannot be the name of a key file`, {
      hint: 'Name the file: `pitlane key generate --output FILE`, and PITLANE_SIGNING_KEY=FILE to sign with it.',
    })
  }
  const configured = env.XDG_CONFIG_HOME
  if (configured?.startsWith('/') === true) return join(configured, 'pitlane', `${project}.key`)
  return env.HOME?.startsWith('/') === true ? join(env.HOME, '.config', 'pitlane', `${project}.key`) : null
}

/**
 * The project's signing key: from `PITLANE_SIGNING_KEY`, else from its default file. An empty variable counts as absent.
 * @throws PitlaneError `KEY_MISSING`, `KEY_INVALID`
 */
export async function loadSigningKey(project: string, env: Environment, files: KeyFiles): Promise<LoadedKey> {
  const given = env[KEY_VARIABLE]
  if (given !== undefined && given.trim() !== '') return loadGiven(given, files)
  const path = defaultKeyPath(project, env)
  const key = path === null ? null : await readKeyFile(path, files)
  if (path !== null && key !== null) return { key, from: path }
  const places =
    path === null ? `${KEY_VARIABLE} is not set and there is no home directory` : `neither ${KEY_VARIABLE} nor ${path}`
  throw new PitlaneError('KEY_MISSING', `there is no signing key for ${project}: ${places}`, {
    hint: 'Make one with `pitlane key generate`. Without a signature: `sign: none` in pitlane.yaml, which the page will show.',
  })
}

/**
 * Makes a key pair and writes the secret key.
 * @param random from the clock
 * @param path null for the default place
 * @throws PitlaneError `FILE_EXISTS`, `KEY_MISSING` when there is no place for it, `STORAGE_FAILED`
 */
export async function generateKey(
  project: string,
  env: Environment,
  files: KeyFiles,
  random: (bytes: number) => Buffer,
  path: string | null = null,
): Promise<GeneratedKey> {
  const place = path ?? defaultKeyPath(project, env)
  if (place === null) {
    throw new PitlaneError('KEY_MISSING', `there is no place for the key of ${project}: no home directory`, {
      hint: 'Set HOME or XDG_CONFIG_HOME.',
    })
  }
  const seed = random(KEY_BYTES)
  const key = { keyId: random(KEY_ID_BYTES), seed, key: rawPublicKey(privateKeyOf(seed)) }
  await files.create(place, encodeSecretKey(key))
  return { path: place, publicKey: formsOf(key) }
}

/** Nothing of the variable's value is ever told: a mistyped key is a key all the same. */
async function loadGiven(given: string, files: KeyFiles): Promise<LoadedKey> {
  const text = given.trim()
  if (text.startsWith('untrusted comment:') || /^RW[A-Za-z0-9+/=]{54,}$/.test(text)) {
    return { key: parseSecretKey(text, KEY_VARIABLE), from: KEY_VARIABLE }
  }
  const missing = new PitlaneError(
    'KEY_INVALID',
    `${KEY_VARIABLE} is neither a secret key nor the path of a file that is there`,
    {
      hint: 'Set it to the content of a file that `pitlane key generate` or `minisign -G -W` wrote, or to its path.',
    },
  )
  if (text.includes('\n') || text.includes('\0') || text.length > 4096) throw missing
  const key = await readKeyFile(text, files)
  if (key === null) throw missing
  return { key, from: text }
}

async function readKeyFile(path: string, files: KeyFiles): Promise<MinisignSecretKey | null> {
  const file = await files.read(path)
  if (file === null) return null
  if ((file.mode & 0o077) !== 0) {
    const mode = (file.mode & 0o777).toString(8).padStart(4, '0')
    throw new PitlaneError('KEY_INVALID', `${path} has mode ${mode}: others than its owner can use the secret key`, {
      hint: `Run: chmod 600 ${shellWord(path)}`,
    })
  }
  return parseSecretKey(file.text, path)
}
