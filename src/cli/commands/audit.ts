import { isS3Address } from '../../buckets/address.ts'
import { EXIT, exitCodeOf, PitlaneError } from '../../errors.ts'
import { publicAddress } from '../../pages/address.ts'
import type { Plan } from '../../plan/plan.ts'
import { audit as auditOf } from '../../release/audit/audit.ts'
import { formsOf } from '../../release/keys/public-key.ts'
import { publicHalf, type Signer } from '../../release/keys/sign.ts'
import type { Report } from '../../run/progress.ts'
import { notesOf, requirePublish } from '../by-hand.ts'
import { guard, printJson, withState } from '../command.ts'
import type { Context } from '../context.ts'
import { describeError, nameInLine, oneLine } from '../output.ts'
import { planRevision } from '../planning.ts'
import { publicKey } from '../public-key.ts'
import { publishing } from '../publishing.ts'

export interface AuditFlags {
  readonly digest: boolean
  readonly key?: string
  readonly public?: string
  readonly noWait: boolean
  readonly json: boolean
}

export async function audit(this: Context, flags: AuditFlags): Promise<void> {
  await guard(this, flags.json, async () => {
    const project = await this.project()
    const plan = await planRevision(project, undefined)
    const { release, publish } = requirePublish(plan, project)
    const signer = await lookingSigner(this, plan, flags.key)
    const address = servedAt(publish, flags.public)
    const { report: tell, notes } = notesOf(this, flags.json)
    // Where lines stay, silence says that all is equal.
    const report: Report = (progress) => {
      if (progress.event !== 'progress' || this.statusLine !== null) tell(progress)
    }
    await withState(this, project, flags, 'pitlane audit', report, async (state) => {
      const { lists } = await publishing(this, project, plan, { ...state, report, noWait: flags.noWait, signer })
      const { image } = release
      const { differences, failures, looked } = await auditOf({
        // What reading the lists notes is found again, as what differs. A lease would be a write.
        lists: { ...lists, exclusively: (work) => work() },
        served: address === null ? null : await this.published(address),
        repositories: image === null ? [] : [image.repository, ...image.platforms.map(({ repository }) => repository)],
        digest: flags.digest,
      })
      const failed = failures.map(({ code, message }) => ({ code, message }))
      const equal = differences.length + failures.length === 0
      if (flags.json) printJson(this, { equal, differences, failed, looked, notes })
      else
        for (const { place, name, problem } of differences)
          this.process.stdout.write(`${place.padEnd(8)}  ${nameInLine(name)}: ${oneLine(problem)}\n`)
      for (const failure of failures) this.process.stderr.write(`${describeError(failure)}\n`)
      if (differences.length > 0) this.exitCode = EXIT.failed
      // What is not known counts more: it may be worse.
      const [first] = failures
      if (first !== undefined) this.exitCode = exitCodeOf(first)
    })
  })
}

/** Whoever only looks needs no key that signs. */
async function lookingSigner(context: Context, plan: Plan, given: string | undefined): Promise<Signer | null> {
  if (plan.release?.sign === 'none') return null
  if (given !== undefined) {
    const { key, keyId } = publicKey(context, given)
    if (keyId === null)
      throw new PitlaneError('KEY_INVALID', 'a PEM file holds no key id, and pages show it', {
        hint: 'Give the key as minisign.pub, or the line of it that begins with RW.',
      })
    return publicHalf(formsOf({ key, keyId }))
  }
  try {
    return publicHalf((await context.signer(plan.project)).publicKey)
  } catch (error) {
    if (!(error instanceof PitlaneError) || error.code !== 'KEY_MISSING') throw error
    throw new PitlaneError('KEY_MISSING', 'the signing key is not here, and no public key was given', {
      hint: 'Give the public key with --key: the file minisign.pub, or the line of it that begins with RW.',
      cause: error,
    })
  }
}

/** Whether anybody serves a folder is not known here, unless it is said. */
function servedAt(
  { bucket, public: address }: { readonly bucket: string; readonly public: string | null },
  given: string | undefined,
): string | null {
  const asked = given ?? (isS3Address(bucket) ? address : null)
  if (asked === null) return null
  const normal = publicAddress(asked)
  if (/^https?:/.test(normal)) return normal
  if (given === undefined) return null
  throw new PitlaneError('USAGE', `--public takes an address that begins with https:// or http://, not ${given}`, {
    hint: 'A folder is read as it is, and needs none.',
  })
}
