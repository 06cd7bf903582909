import { existsSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { exitCodeOf, PitlaneError } from '../../errors.ts'
import { isRegistryAddress } from '../../image/address.ts'
import type { Registry } from '../../image/types.ts'
import type { PublicKey } from '../../release/public-key.ts'
import { builtOf } from '../../release/document.ts'
import { readDocumentOf } from '../../release/documents.ts'
import { type StateDocument, stateWords } from '../../release/state-document.ts'
import { verifyRelease } from '../../release/verify.ts'
import type { Published } from '../../release/verify-document.ts'
import { absolute, guard, printJson } from '../command.ts'
import type { Context } from '../context.ts'
import { describeError, printable } from '../output.ts'
import { publicKey } from '../public-key.ts'

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
      throw new PitlaneError('USAGE', `${JSON.stringify(version)} can't be a version`, {
        hint: 'A version is a tag or a full commit id.',
      })
    }
    const key = requireKey(this, flags)
    const from = flags.from.startsWith('file://') ? fileURLToPath(flags.from) : flags.from
    const isAddress = /^https?:\/\//.test(from)
    if (!isAddress && /^[a-z][a-z0-9+.-]*:\/\//.test(from)) {
      throw new PitlaneError('USAGE', `${from} can't be read from`, {
        hint: '--from takes a folder, or an address that begins with https:// or http://.',
      })
    }
    if (!isAddress) requireFolder(absolute(from, this.cwd), '--from takes the folder or the address of a bucket.')
    const bucket = isAddress ? await this.published(from) : await this.bucket(absolute(from, this.cwd), this.cwd)
    const registry = flags.noImages ? null : await registryFor(this, flags, bucket, version)
    const result = await verifyRelease({ bucket, registry, version, key, now: this.clock.now() })

    // What was not looked at has not passed, unless the person said to leave it out.
    const unchecked = flags.noImages
      ? []
      : result.skipped.map(
          (what) => `${what} was not checked: give its registry or layout with --registry, or --no-images`,
        )
    const problems = [...result.problems, ...result.unknown, ...unchecked]
    if (flags.json) {
      printJson(this, {
        version,
        from: flags.from,
        verified: problems.length === 0,
        checks: result.checks,
        problems,
        skipped: result.skipped,
        remarks: result.remarks,
        withdrawn: withdrawnOf(result.state),
      })
    } else {
      for (const line of result.checks) this.process.stdout.write(`ok       ${printable(line)}\n`)
      for (const line of result.remarks) this.process.stdout.write(`note     ${printable(line)}\n`)
      if (flags.noImages) for (const line of result.skipped) this.process.stdout.write(`skipped  ${printable(line)}\n`)
      const withdrawn = result.state?.state === 'withdrawn' ? result.state : null
      if (withdrawn !== null) this.process.stdout.write(`warning  ${version} is ${printable(stateWords(withdrawn))}\n`)
      if (problems.length === 0) {
        const unsigned = key === null ? ', as far as an unsigned release can' : ''
        this.process.stdout.write(`${version} verifies${unsigned}${withdrawn === null ? '' : ', and is withdrawn'}\n`)
      }
    }
    if (problems.length > 0) {
      const failure = new PitlaneError(
        'VERIFICATION_FAILED',
        `${version} does not verify:\n  ${problems.join('\n').replaceAll('\n', '\n  ')}`,
        {
          hint:
            result.problems.length > 0
              ? 'Do not use these files.'
              : 'Nothing was found wrong, but not everything was looked at.',
        },
      )
      if (!flags.json) throw failure
      // The document above says all of it; a second one after it would spoil the first for whoever parses it.
      this.exitCode = exitCodeOf(failure)
      this.process.stderr.write(`${describeError(failure)}\n`)
    }
  })
}

/** Null where nothing says where the images are. */
async function registryFor(
  context: Context,
  { registry, from }: VerifyFlags,
  bucket: Published,
  version: string,
): Promise<Registry | null> {
  if (registry !== undefined) {
    // A layout that is not there would look like one that has lost every image.
    if (!isRegistryAddress(registry))
      requireFolder(
        absolute(registry, context.cwd),
        '--registry takes the address of a registry, or the folder of an OCI image layout.',
      )
    return context.registry(registry, context.cwd)
  }
  const document = await readDocumentOf(bucket, version)
  const image = document === null ? null : builtOf(document)?.image
  if (image?.registry !== undefined) return context.registry(image.registry, '')
  const isFolder = !/^https?:/.test(from)
  if (!image || image.layout === null || !isFolder) return null
  const folder = from.startsWith('file://') ? fileURLToPath(from) : from
  return context.registry(image.layout, absolute(folder, context.cwd))
}

function withdrawnOf(state: StateDocument | null) {
  if (state?.state !== 'withdrawn') return null
  const { since, reason, supersededBy } = state
  return { since, reason, supersededBy }
}

function requireFolder(folder: string, hint: string): void {
  if (existsSync(folder) && statSync(folder).isDirectory()) return
  throw new PitlaneError('NOT_FOUND', `${folder} is not a folder`, { hint })
}

function requireKey(context: Context, { key, unsigned }: VerifyFlags): PublicKey | null {
  if (key !== undefined) return publicKey(context, key)
  if (unsigned) return null
  throw new PitlaneError('USAGE', 'no key was given', {
    hint: 'Give the public key with --key, or accept an unsigned release with --unsigned.',
  })
}
