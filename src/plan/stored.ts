/** Reads a plan that was stored: by this version, an older, or a newer one. */
import { z } from 'zod'
import { PitlaneError } from '../errors.ts'
import { planId } from './plan-id.ts'
import type { Plan } from './plan.ts'

const id = z.string().min(1)
const environment = z.record(z.string(), z.string())

const Source = z.strictObject({
  commit: z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/),
  tree: z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/),
  tag: z.string().nullable(),
  commitTime: z.int(),
  subject: z.string(),
  tagMessage: z.string().nullable(),
})

const Step = z.strictObject({
  id,
  name: z.string(),
  run: z.string(),
  env: environment,
  timeout: z.int().positive(),
  needs: z.array(id),
})

const Output = z.strictObject({
  id,
  target: z.string(),
  name: z.string(),
  path: z.string(),
  static: z.boolean(),
  obligations: z.array(z.enum(['bytes', 'digest', 'elf', 'signature', 'test', 'image', 'page'])),
})

const Stage = z.strictObject({
  id,
  kind: z.enum(['checks', 'build', 'test', 'documentation']),
  target: z.string().nullable(),
  needs: z.array(id),
  steps: z.array(Step),
  outputs: z.array(Output),
  folder: z.string().exactOptional(),
  required: z.boolean(),
})

const Image = z.strictObject({
  repository: z.string(),
  tag: z.string(),
  command: z.array(z.string()),
  env: z.array(z.string()),
  labels: z.record(z.string(), z.string()),
  platforms: z.array(z.strictObject({ target: z.string(), platform: z.string(), repository: z.string() })),
  format: z.literal('docker').exactOptional(),
  floating: z.array(z.string()).exactOptional(),
})

const Documentation = z.strictObject({
  path: z.string(),
  channel: z.string(),
  versions: z.boolean(),
  grace: z.int().nonnegative(),
  kept: z.string().nullable(),
  newest: z.boolean(),
})

const Publish = z.strictObject({
  bucket: z.string(),
  registry: z.string().nullable(),
  public: z.string().nullable(),
  map: z.array(z.strictObject({ source: z.string(), destination: z.string() })),
})

const StoredPlan = z.strictObject({
  format: z.literal(1),
  id: z.string().regex(/^plan-[0-9a-f]{32}$/),
  project: z.string(),
  source: Source,
  version: z.string(),
  channel: z.string(),
  configuration: z.strictObject({ file: z.string(), sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
  notes: z.string().nullable(),
  stages: z.array(Stage),
  release: z
    .strictObject({
      targets: z.array(z.string()),
      sign: z.enum(['minisign', 'none']),
      image: Image.nullable(),
      documentation: Documentation.exactOptional(),
      publish: Publish.nullable(),
    })
    .nullable(),
})

/**
 * Reads the JSON of a stored plan and proves that it is the plan its id names.
 * @throws PitlaneError `STATE_NEWER` for a format of a later version, `PLAN_CONTRADICTION` for anything that is not the stored plan
 */
export function readStoredPlan(json: string): Plan {
  const value = parseJson(json)
  const format = typeof value === 'object' && value !== null && 'format' in value ? value.format : undefined
  if (typeof format === 'number' && Number.isInteger(format) && format > 1) {
    throw new PitlaneError('STATE_NEWER', `the stored plan has format ${format}, and this version reads format 1`, {
      hint: 'Use the Pitlane that stored it, or a newer one. Nothing was changed.',
    })
  }
  const parsed = StoredPlan.safeParse(value)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw damaged(`${issue?.path.join('.') || 'plan'}: ${issue?.message ?? 'not a plan'}`)
  }
  const plan: Plan = parsed.data
  const expected = planId(plan)
  if (expected !== plan.id) throw damaged(`its content has the id ${expected}, and it is stored as ${plan.id}`)
  return plan
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch (cause) {
    throw damaged(cause instanceof Error ? cause.message : 'not JSON')
  }
}

function damaged(reason: string): PitlaneError {
  return new PitlaneError('PLAN_CONTRADICTION', `the stored plan is damaged: ${reason}`, {
    hint: 'Restore the state folder from a backup, or remove it to begin anew; what is published stays.',
  })
}
