import { existsSync, readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { PitlaneError } from '../../errors.ts'
import { parsePublicKey, type PublicKey } from '../../release/public-key.ts'
import { readDocumentOf } from '../../release/documents.ts'
import { verifyRelease } from '../../release/verify.ts'
import { absolute, guard, printJson } from '../command.ts'
import type { Context } from '../context.ts'
import { printable } from '../output.ts'

export interface VerifyFlags {
  readonly from: string
  readonly key?: string
  readonly registry?: string
  readonly noImages: boolean
  readonly unsigned: boolean
  readonly json: boolean
}

export async function verify(this: Context, flags: VerifyFlags, version: string): Promise<void> {
  await guard(this, flags.json, async () => {
    if (!/^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$/.test(version)) {
      throw new PitlaneError('USAGE', `${JSON.stringify(version)} can't be a version`, { hint: 'A version is a tag or a full commit id.' })
    }
    const key = publicKey(this, flags)
    const from = flags.from.startsWith('file://') ? fileURLToPath(flags.from) : flags.from
    const isAddress = /^https?:\/\//.test(from)
    if (!isAddress) requireFolder(absolute(from, this.cwd))
    const bucket = isAddress ? await this.published(from) : await this.bucket(absolute(from, this.cwd), this.cwd)
    const layout = flags.registry ?? (isAddress ? null : ((await readDocumentOf(bucket, version))?.image?.layout ?? null))
    const base = flags.registry === undefined ? absolute(from, this.cwd) : this.cwd
    const registry = flags.noImages || layout === null ? null : await this.registry(layout, base)
    const result = await verifyRelease({ bucket, registry, version, key, now: this.clock.now() })

    // What was not looked at has not passed, unless the person said to leave it out.
    const unchecked = flags.noImages ? [] : result.skipped.map((what) => `${what} was not checked: give its layout with --registry, or --no-images`)
    const problems = [...result.problems, ...unchecked]
    if (flags.json) {
      printJson(this, { version, from: flags.from, verified: problems.length === 0, checks: result.checks, problems, skipped: result.skipped })
    } else {
      for (const line of result.checks) this.process.stdout.write(`ok       ${printable(line)}\n`)
      if (flags.noImages) for (const line of result.skipped) this.process.stdout.write(`skipped  ${printable(line)}\n`)
      if (problems.length === 0) this.process.stdout.write(`${version} verifies${key === null ? ', as far as an unsigned release can' : ''}\n`)
    }
    if (problems.length > 0) {
      throw new PitlaneError('VERIFICATION_FAILED', `${version} does not verify:\n  ${problems.join('\n  ')}`, {
        hint: 'Do not use these files.',
      })
    }
  })
}

function requireFolder(folder: string): void {
  if (existsSync(folder) && statSync(folder).isDirectory()) return
  throw new PitlaneError('NOT_FOUND', `${folder} is not a folder`, { hint: '--from takes the folder or the address of a bucket.' })
}

/** A file, when there is one of that name; else the key's text. */
function publicKey(context: Context, flags: VerifyFlags): PublicKey | null {
  if (flags.key === undefined) {
    if (flags.unsigned) return null
    throw new PitlaneError('USAGE', 'no key was given', { hint: 'Give the public key with --key, or accept an unsigned release with --unsigned.' })
  }
  const path = absolute(flags.key, context.cwd)
  if (existsSync(path)) return parsePublicKey(readFileSync(path, 'utf8'), path)
  return parsePublicKey(flags.key, '--key (no such file, so read as a key)')
}
