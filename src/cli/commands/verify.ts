import { fileURLToPath } from 'node:url'
import { exitCodeOf, PitlaneError } from '../../errors.ts'
import type { PublicKey } from '../../release/keys/public-key.ts'
import { type StateDocument, stateWords } from '../../release/states/state-document.ts'
import { verifyRelease } from '../../release/verify/verify.ts'
import { metering, unmetered } from '../../run/meter.ts'
import { absolute, guard, printJson, reporter } from '../command.ts'
import type { Context } from '../context.ts'
import { imagePlaces } from '../image-places.ts'
import { describeError, printable } from '../output.ts'
import { publicKey } from '../public-key.ts'
import { requireFolder } from '../require-folder.ts'

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
    const images = flags.noImages ? null : imagePlaces(this, { ...flags, unsigned: key === null })
    const registryOf = images?.registryOf ?? (() => Promise.resolve(null))
    const { clock } = this
    // With --json there is one document.
    const told = flags.json ? unmetered : metering({ clock, report: reporter(this, false) })
    const result = await verifyRelease({ bucket, registryOf, version, key, now: clock.now(), metering: told })
    const remarks = [...result.remarks, ...(images?.remarks() ?? [])]

    // What was not looked at has not passed, unless the person said to leave it out.
    const skipped = result.skipped.map(({ what }) => what)
    const leftOut = result.skipped.filter(({ kind }) => flags.noImages && kind === 'image')
    const unchecked = result.skipped
      .filter((one) => !leftOut.includes(one))
      .map(({ what, remedy }) => `${what} was not checked: ${remedy}`)
    const problems = [...result.problems, ...result.unknown, ...unchecked]
    if (flags.json) {
      printJson(this, {
        version,
        from: flags.from,
        verified: problems.length === 0,
        checks: result.checks,
        problems,
        skipped,
        remarks,
        withdrawn: withdrawnOf(result.state),
      })
    } else {
      for (const line of result.checks) this.process.stdout.write(`ok       ${printable(line)}\n`)
      for (const line of remarks) this.process.stdout.write(`note     ${printable(line)}\n`)
      for (const { what } of leftOut) this.process.stdout.write(`skipped  ${printable(what)}\n`)
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

function withdrawnOf(state: StateDocument | null) {
  if (state?.state !== 'withdrawn') return null
  const { since, reason, supersededBy } = state
  return { since, reason, supersededBy }
}

function requireKey(context: Context, { key, unsigned }: VerifyFlags): PublicKey | null {
  if (key !== undefined) return publicKey(context, key)
  if (unsigned) return null
  throw new PitlaneError('USAGE', 'no key was given', {
    hint: 'Give the public key with --key, or accept an unsigned release with --unsigned.',
  })
}
