/** What is known about one artifact and how it became known: one small record, stored with the artifact's row. */
import { z } from 'zod'
import type { ArtifactRow } from '../database/queries/artifacts.ts'
import { PitlaneError } from '../errors.ts'

const ElfFactsRecord = z.strictObject({
  class: z.union([z.literal(32), z.literal(64)]),
  endianness: z.enum(['little', 'big']),
  machine: z.int().min(0).max(0xff_ff),
  type: z.enum(['exec', 'dyn']),
  interpreter: z.string().nullable(),
  needed: z.array(z.string()).readonly(),
  arm: z.strictObject({ version: z.int(), source: z.enum(['attributes', 'go-buildinfo']) }).nullable(),
})

const TestRecord = z.strictObject({
  mode: z.enum(['native', 'qemu']).nullable(),
  /** Only `passed` counts as passed. */
  result: z.enum(['passed', 'failed', 'not-run', 'none']),
})

export const Evidence = z
  .strictObject({
    format: z.literal('pitlane-evidence/1'),
    outputId: z.string(),
    /** Triple. */
    target: z.string(),
    name: z.string(),
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    blake2b512: z.string().regex(/^[0-9a-f]{128}$/),
    /** Bytes. */
    size: z.int().positive(),
    elf: ElfFactsRecord,
    /** What `judgeElf` found against the target; empty when it fits. */
    findings: z.array(z.string()),
    /** Stage and attempt that built it. */
    stage: z.string(),
    attempt: z.int().positive(),
    executor: z.enum(['process']),
    isolation: z.enum(['pid-namespace', 'process-group']),
    /** Null until the release test was decided. */
    test: TestRecord.nullable(),
  })
  .refine(
    ({ test }) => test === null || (test.result === 'passed' || test.result === 'failed') === (test.mode !== null),
    {
      message: 'a test that ran says how, and one that did not run says nothing',
      path: ['test', 'mode'],
    },
  )
export type Evidence = z.infer<typeof Evidence>

/** Of an artifact's row. Throws `PLAN_CONTRADICTION` when something else has written it. */
export function readEvidence(row: Pick<ArtifactRow, 'output_id' | 'evidence'>): Evidence {
  try {
    return Evidence.parse(JSON.parse(row.evidence))
  } catch (error) {
    throw new PitlaneError('PLAN_CONTRADICTION', `the evidence of ${row.output_id} is not as it was written down`, {
      hint: 'The state was changed from outside. Put the folder .pitlane back from a copy, or move it away to begin anew.',
      cause: error,
    })
  }
}
