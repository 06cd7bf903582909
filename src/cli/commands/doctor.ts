import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findRunner } from '../../artifact/runner.ts'
import { EXIT, PitlaneError } from '../../errors.ts'
import { bad, type Examination, good, weak } from '../../examination.ts'
import { isRegistryAddress } from '../../image/address.ts'
import type { Plan } from '../../plan/plan.ts'
import { guard, printJson } from '../command.ts'
import type { Context, Project } from '../context.ts'
import { printable } from '../output.ts'
import { planRevision } from '../planning.ts'

type Release = NonNullable<Plan['release']>

/** Bytes that are read of a probe where everybody reads. */
const PROBE_LIMIT = 4096

export async function doctor(this: Context, flags: { json: boolean }): Promise<void> {
  await guard(this, flags.json, async () => {
    const project = await this.project()
    const plan = await planRevision(project, undefined)
    const told: (Examination & { readonly part: string })[] = []
    const worst = { weak: 0, bad: 0 }
    for await (const { part, found } of examinations(this, project, plan)) {
      if (found.result !== 'good') worst[found.result] += 1
      told.push({ part, ...found })
      if (!flags.json) this.process.stdout.write(lines(part, found))
    }
    if (flags.json) printJson(this, { healthy: worst.bad === 0, examinations: told })
    else
      this.process.stdout.write(
        worst.bad === 0
          ? `ready to release${worst.weak === 0 ? '' : `; ${worst.weak} could be better`}\n`
          : `not ready: ${worst.bad} to mend\n`,
      )
    if (worst.bad > 0) this.exitCode = EXIT.failed
  })
}

function lines(part: string, { what, result, detail, hint }: Examination): string {
  const word = { good: 'ok  ', weak: 'weak', bad: 'BAD ' }[result]
  const first = `${word}  ${`${part}: ${what}`.padEnd(38)} ${printable(detail).replaceAll('\n', ' ')}\n`
  return hint === null || result === 'good' ? first : `${first}      ${printable(hint)}\n`
}

type Part = AsyncIterable<{ readonly part: string; readonly found: Examination }>

async function* examinations(context: Context, project: Project, plan: Plan): Part {
  yield* named('machine', machine(context, plan))
  if (plan.release === null) return
  if (plan.release.sign !== 'none') yield* named('key', key(context, plan))
  const { publish } = plan.release
  if (publish === null) return
  yield* named('bucket', bucket(context, project, publish))
  const { image } = plan.release
  if (publish.registry !== null && isRegistryAddress(publish.registry) && image !== null)
    yield* named('registry', registry(context, publish.registry, image.repository))
}

async function* named(part: string, found: AsyncIterable<Examination>): Part {
  for await (const one of found) yield { part, found: one }
}

async function* machine(context: Context, { stages }: Plan): AsyncIterable<Examination> {
  const isolation = await context.isolation()
  yield isolation === 'pid-namespace'
    ? good('steps', 'each stage in a PID namespace: nothing of it survives')
    : weak(
        'steps',
        'no PID namespace here: processes of steps are found by a mark in their environment',
        'Let this user make namespaces (kernel.unprivileged_userns_clone), and install util-linux.',
      )
  const folder = mkdtempSync(join(tmpdir(), 'pitlane-doctor-'))
  try {
    for (const { kind, target, required } of stages) {
      if (kind !== 'test' || target === null) continue
      const found = await findRunner(target, { machine: context.machine, path: context.env['PATH'] ?? '', folder })
      const what = `run ${target}`
      if (found !== null) yield good(what, found.mode === 'native' ? 'natively' : 'under qemu-user')
      else if (required) yield bad(what, 'neither the kernel nor qemu-user does it, and its test must have run', QEMU)
      else yield weak(what, 'neither the kernel nor qemu-user does it: its test is written down as not run', QEMU)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const QEMU = 'On Debian: apt install qemu-user-static.'

async function* key(context: Context, plan: Plan): AsyncIterable<Examination> {
  try {
    const { publicKey } = await context.signer(plan.project)
    yield good('sign', `with key ${publicKey.keyId}`)
  } catch (error) {
    yield failed('sign', error)
  }
}

async function* bucket(
  context: Context,
  project: Project,
  publish: NonNullable<Release['publish']>,
): AsyncIterable<Examination> {
  try {
    const site = publish.public === null || publish.public.startsWith('file:') ? null : publish.public
    const reader = site === null ? null : await context.published(site)
    yield* await context.examineBucket(publish.bucket, project.folder, {
      readPublic: reader === null ? null : (probe) => reader.read(probe, PROBE_LIMIT),
      redirectOf:
        reader?.redirectOf === undefined ? null : (probe) => reader.redirectOf?.(probe) ?? Promise.resolve(null),
    })
  } catch (error) {
    yield failed('reach the bucket', error)
  }
}

async function* registry(context: Context, location: string, repository: string): AsyncIterable<Examination> {
  try {
    yield* await context.examineRegistry(location, repository)
  } catch (error) {
    yield failed('reach the registry', error)
  }
  const what = 'pull without a login'
  try {
    const anybody = await context.registry(location, '', 'anybody')
    const tags = await anybody.listTags(repository)
    yield good(what, tags.length === 0 ? `${repository} has no image yet` : `${tags.length} tags of ${repository}`)
  } catch (error) {
    const { detail } = failed(what, error)
    yield weak(what, detail, 'Only who logs in can pull these images: make the repository public if everybody should.')
  }
}

function failed(what: string, error: unknown): Examination {
  if (!(error instanceof PitlaneError)) throw error
  return bad(what, error.message, error.hint ?? null)
}
