/** Names for plans, made of what is in them. */
import { sha256Of } from '../bytes/digest.ts'
import { canonicalJson } from './canonical.ts'
import type { Plan } from './plan.ts'

/** `plan-` and 32 hex digits; of everything in the plan but the id itself. */
export function planId(content: object): string {
  const { id: _, ...rest } = content as { readonly id?: unknown }
  return `plan-${sha256Of(canonicalJson(rest)).slice(0, 32)}`
}

/** Names what the checks of a plan are: a green build of one plan counts for every plan with the same digest (64 hex digits). */
export function checksDigest(plan: Plan): string {
  const stages = plan.stages.filter(({ kind }) => kind === 'checks')
  return sha256Of(canonicalJson({ commit: plan.source.commit, stages }))
}
