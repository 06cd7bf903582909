/** Counts what the plan declared against what there is, right before anything becomes visible. Missing is missing; nothing is assumed. */
import type { Plan } from '../plan/plan.ts'
import type { ReleaseDocument } from './document.ts'
import { type Operation, operationFacts } from './publication.ts'

/** One sentence for each obligation that is not met; empty when the release is complete. */
export function unmetObligations(plan: Plan, document: ReleaseDocument, operations: readonly Operation[]): string[] {
  const outputs = plan.stages.flatMap((stage) => stage.outputs)
  const unmet: string[] = []
  if (plan.release !== null && outputs.length === 0) unmet.push('the plan declares a release and not one output')
  const bucket = new Map(
    operations.flatMap((operation) => (operation.to === 'bucket' ? [[operation.key, operation.body.sha256]] : [])),
  )
  const tags = new Set(
    operations.flatMap((operation) => (operation.to === 'tag' ? [operationFacts(operation).destination] : [])),
  )

  for (const output of outputs) {
    const file = document.files.find(
      (candidate) => candidate.target === output.target && candidate.name === output.name,
    )
    for (const obligation of output.obligations) {
      const met = (() => {
        switch (obligation) {
          case 'bytes':
            return file !== undefined && bucket.get(file.path) === file.sha256
          case 'digest':
            return file !== undefined && bucket.has(`${file.path}.sha256`)
          case 'elf':
            return file !== undefined && (file.elf.static || !output.static)
          case 'signature':
            return file !== undefined && bucket.has(`${file.path}.minisig`)
          case 'test':
            return testMet(plan, document, output.target)
          case 'image': {
            const platform = document.image?.platforms.find((candidate) => candidate.target === output.target)
            return platform !== undefined && tags.has(`${platform.repository}:${platform.tag}`)
          }
          case 'page':
            // Pages are rendered from documents that list exactly these files; read back afterwards by verification.
            return file !== undefined
        }
      })()
      if (!met) unmet.push(`${output.id}: ${obligation} is missing`)
    }
  }
  if (document.files.length !== outputs.length) {
    unmet.push(`${outputs.length} outputs are declared and ${document.files.length} files are in the document`)
  }
  return unmet
}

function testMet(plan: Plan, document: ReleaseDocument, target: string): boolean {
  const stage = plan.stages.find((candidate) => candidate.kind === 'test' && candidate.target === target)
  const test = document.tests.find((candidate) => candidate.target === target)
  const file = document.files.find((candidate) => candidate.target === target)
  if (stage === undefined || test === undefined) return false
  if (test.result === 'passed') return test.binarySha256 === file?.sha256
  return test.result === 'not-run' && !stage.required
}
