/** The public key that a person gives with `--key`. */
import { readFileSync, statSync } from 'node:fs'
import { PitlaneError, systemCode } from '../errors.ts'
import { parsePublicKey, type PublicKey } from '../release/keys/public-key.ts'
import { absolute } from './command.ts'
import type { Context } from './context.ts'

/** Bytes. */
const KEY_LIMIT = 16 * 1024

/**
 * A file, when there is one of that name; else the key's text.
 * @throws PitlaneError `KEY_INVALID`
 */
export function publicKey(context: Pick<Context, 'cwd'>, given: string): PublicKey {
  const path = absolute(given, context.cwd)
  const text = keyText(path)
  if (text !== null) return parsePublicKey(text, path)
  if (/^(RW|-----BEGIN|untrusted comment:)/.test(given)) return parsePublicKey(given, '--key')
  throw new PitlaneError('KEY_INVALID', `${given} is neither a file nor a public key`, {
    hint: '--key takes the file minisign.pub or signing-key.pem of the project, or the line of it that begins with RW.',
  })
}

/** Null when there is no such file. */
function keyText(path: string): string | null {
  try {
    const facts = statSync(path, { throwIfNoEntry: false })
    if (facts === undefined) return null
    if (!facts.isFile()) throw new PitlaneError('KEY_INVALID', `${path} is not a regular file`)
    if (facts.size > KEY_LIMIT)
      throw new PitlaneError('KEY_INVALID', `${path} has ${facts.size} bytes, too many for a key`)
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof PitlaneError) throw error
    // A key's text is no path, and may be too long for one.
    if (systemCode(error) === 'ENAMETOOLONG' || systemCode(error) === 'ENOTDIR') return null
    throw new PitlaneError('KEY_INVALID', `${path} can't be read: ${(error as Error).message}`, {
      hint: 'Look whether you may read it.',
      cause: error,
    })
  }
}
