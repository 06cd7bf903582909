/** What is asked of a server, with the words of Drone's command line. */
import { z } from 'zod'
import { PitlaneError } from '../../errors.ts'
import { serverClient } from '../../remote/server-client.ts'
import { guard, printJson } from '../command.ts'
import type { Context } from '../context.ts'

const Repository = z.object({ slug: z.string(), active: z.boolean() })
const Step = z.object({ number: z.number(), name: z.string(), status: z.string(), exit_code: z.number() })
const Stage = z.object({
  number: z.number(),
  name: z.string(),
  status: z.string(),
  error: z.string(),
  steps: z.array(Step),
})
const Build = z.object({
  number: z.number(),
  status: z.string(),
  event: z.string(),
  ref: z.string(),
  after: z.string(),
  message: z.string(),
  author_name: z.string(),
})
const WholeBuild = Build.extend({ stages: z.array(Stage) })
const Lines = z.array(z.object({ out: z.string() }))

type Flags = { readonly json: boolean }

export async function repositories(this: Context, { json }: Flags): Promise<void> {
  await guard(this, json, async () => {
    const all = await serverClient(this.env).ask('GET', '/user/repos', z.array(Repository))
    if (json) return printJson(this, all)
    for (const { slug, active } of all) this.process.stdout.write(`${active ? 'on ' : 'off'}  ${slug}\n`)
  })
}

export async function enable(this: Context, { json }: Flags, name: string): Promise<void> {
  await guard(this, json, async () => {
    const repository = await serverClient(this.env).ask('POST', `/repos/${path(name)}`, Repository)
    if (json) return printJson(this, repository)
    this.process.stdout.write(`${repository.slug} is on: what is pushed to it from now on is checked\n`)
  })
}

export async function disable(this: Context, { json }: Flags, name: string): Promise<void> {
  await guard(this, json, async () => {
    const repository = await serverClient(this.env).ask('DELETE', `/repos/${path(name)}`, Repository)
    if (json) return printJson(this, repository)
    this.process.stdout.write(`${repository.slug} is off; its builds stay\n`)
  })
}

export async function builds(this: Context, { json }: Flags, name: string): Promise<void> {
  await guard(this, json, async () => {
    const all = await serverClient(this.env).ask('GET', `/repos/${path(name)}/builds`, z.array(Build))
    if (json) return printJson(this, all)
    for (const one of all) this.process.stdout.write(`${line(one)}\n`)
  })
}

export async function build(this: Context, { json }: Flags, name: string, number?: string): Promise<void> {
  await guard(this, json, async () => {
    const which = number === undefined || number === 'last' ? 'latest' : numberIn(number)
    const found = await serverClient(this.env).ask('GET', `/repos/${path(name)}/builds/${which}`, WholeBuild)
    if (json) return printJson(this, found)
    const { stdout } = this.process
    stdout.write(`${line(found)}\n`)
    for (const stage of found.stages) {
      stdout.write(
        `${stage.number}    ${stage.status.padEnd(8)} ${stage.name}${stage.error === '' ? '' : `: ${stage.error}`}\n`,
      )
      for (const step of stage.steps)
        stdout.write(`${stage.number} ${step.number}  ${step.status.padEnd(8)} ${step.name}\n`)
    }
  })
}

export async function log(
  this: Context,
  _: object,
  name: string,
  number: string,
  stage: string,
  step: string,
): Promise<void> {
  await guard(this, false, async () => {
    const at = `${numberIn(number)}/logs/${numberIn(stage)}/${numberIn(step)}`
    for (const { out } of await serverClient(this.env).ask('GET', `/repos/${path(name)}/builds/${at}`, Lines))
      this.process.stdout.write(out)
  })
}

function line({ number, status, event, ref, after, message, author_name: author }: z.infer<typeof Build>): string {
  const of = ref.replace(/^refs\/(heads|tags)\//, '')
  return `${String(number).padStart(4)}  ${status.padEnd(8)} ${event.padEnd(6)} ${of}  ${after.slice(0, 12)}  ${message}  (${author})`
}

function path(name: string): string {
  if (/^[\w.-]+\/[\w.-]+$/.test(name)) return name
  throw new PitlaneError('USAGE', `${name}: a repository is called OWNER/NAME`, {
    hint: 'Which there are: pitlane repo ls.',
  })
}

function numberIn(text: string): string {
  if (/^[1-9]\d{0,8}$/.test(text)) return text
  throw new PitlaneError('USAGE', `${text}: not a number`, {
    hint: 'Builds, stages and steps have numbers: pitlane build info OWNER/NAME N.',
  })
}
