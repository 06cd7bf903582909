/** What surrounds the steps of each kind of stage: the checkout before them, their variables, and the taking over of what they made. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { insertArtifact, readArtifacts } from '../database/queries/artifacts.ts'
import { readDocumentation, replaceDocumentation } from '../database/queries/documentation.ts'
import type { BuildRow } from '../database/queries/builds.ts'
import type { Writer } from '../database/writer.ts'
import type { Clock } from '../clock.ts'
import { PitlaneError } from '../errors.ts'
import type { Executor } from '../executors/types.ts'
import type { Repository } from '../forges/types.ts'
import type { PlannedStage } from '../plan/plan.ts'
import { findTarget } from '../plan/targets.ts'
import type { StageContext, StageWork } from '../run/parts.ts'
import { baseEnvironment } from '../run/environment.ts'
import type { Report } from '../run/progress.ts'
import type { ContentStore } from './content.ts'
import { finishReleaseTest, prepareReleaseTest, releaseTestEnvironment } from './release-test.ts'

export interface StageParts {
  readonly repository: Repository
  readonly executor: Executor
  readonly content: ContentStore
  readonly writer: Writer
  readonly clock: Clock
  readonly report: Report
  /** The environment Pitlane was started in. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** `process.arch` */
  readonly machine: string
}

export function stageWork(parts: StageParts): StageWork {
  return {
    async prepare(context, fresh) {
      if (context.stage.kind === 'test') {
        const unrunnable = await prepareReleaseTest(parts, context)
        if (unrunnable !== null) return { unrunnable }
      }
      await fillWorkspace(parts.repository, context, fresh)
      return undefined
    },

    async environment(context) {
      const env = baseEnvironment(parts.env)
      if (context.stage.kind === 'test') Object.assign(env, await releaseTestEnvironment(parts, context))
      return { env, cwd: join(context.workspace, dirname(context.plan.configuration.file)) }
    },

    async collect(context) {
      if (context.stage.kind === 'test') return finishReleaseTest(parts, context)
      if (context.stage.kind === 'documentation') return collectDocumentation(parts, context)
      await collectOutputs(parts, context)
    },

    lostOutputs: (build, stages) => lostOutputs(parts, build, stages),
  }
}

/** The first artifact of these stages whose bytes are not in the content store any more, and what came of them. */
async function lostOutputs(
  parts: StageParts,
  build: BuildRow,
  stages: readonly PlannedStage[],
): Promise<string | null> {
  const outputs = new Set(stages.flatMap((stage) => stage.outputs.map((output) => output.id)))
  if (stages.some(({ folder }) => folder !== undefined)) {
    for (const { path, sha256 } of await readDocumentation(parts.writer.db, build.id)) {
      const found = await parts.content.inspect(sha256)
      if (found !== 'whole') return `documentation ${path}, ${parts.content.path(sha256)}, was ${found}`
    }
  }
  if (outputs.size === 0) return null
  for (const { output_id: output, target, name, sha256 } of await readArtifacts(parts.writer.db, build.id)) {
    if (!outputs.has(output)) continue
    const found = await parts.content.inspect(sha256)
    if (found !== 'whole') return `${target}/${name}, ${parts.content.path(sha256)}, was ${found}`
  }
  return null
}

async function fillWorkspace(repository: Repository, context: StageContext, fresh: boolean): Promise<void> {
  if (!fresh && !existsSync(context.workspace)) {
    throw new PitlaneError(
      'STORAGE_FAILED',
      `the workspace ${context.workspace} is gone, and steps that finished have worked in it`,
      {
        hint: 'Something removed it. Run the same command again: it begins a new build.',
      },
    )
  }
  if (fresh) await repository.checkout(context.plan.source.commit, context.workspace)
}

async function collectDocumentation(parts: StageParts, { build, plan, stage, workspace }: StageContext): Promise<void> {
  if (stage.folder === undefined) throw new PitlaneError('INTERNAL', `stage ${stage.id} leaves no folder`)
  const { collectFolder } = await import('./collect-folder.ts')
  const files = await collectFolder(join(workspace, dirname(plan.configuration.file)), stage.folder, parts.content)
  await parts.writer.write((trx) => replaceDocumentation(trx, build.id, files))
  parts.report({
    event: 'documentation',
    build: build.number,
    folder: stage.folder,
    files: files.length,
    size: files.reduce((sum, { size }) => sum + size, 0),
  })
}

async function collectOutputs(parts: StageParts, context: StageContext): Promise<void> {
  if (context.stage.outputs.length === 0) return
  // Loaded when something was built: checks start without it.
  const [{ collect }, { Evidence }] = await Promise.all([import('./collect.ts'), import('./evidence.ts')])
  const folder = join(context.workspace, dirname(context.plan.configuration.file))
  for (const output of context.stage.outputs) {
    const target = findTarget(output.target)
    if (target === undefined) throw new PitlaneError('INTERNAL', `no target ${output.target}`)
    // Where nothing in the file tells the ARM version, the release test's run on an ARMv6 CPU has to.
    const armByRun = context.plan.stages.some((stage) => stage.kind === 'test' && stage.target === target.triple)
    const artifact = await collect(folder, output, parts.content, target, { armByRun })
    const { outputId, name, sha256, blake2b512, size, elf, findings } = artifact
    const evidence = Evidence.parse({
      format: 'pitlane-evidence/1',
      outputId,
      target: target.triple,
      name,
      sha256,
      blake2b512,
      size,
      elf,
      findings,
      stage: context.stage.id,
      attempt: context.attempt,
      executor: parts.executor.name,
      isolation: await parts.executor.isolation(),
      test: null,
    })
    await parts.writer.write((trx) =>
      insertArtifact(trx, {
        build_id: context.build.id,
        output_id: outputId,
        target: target.triple,
        name,
        sha256,
        blake2b512,
        size,
        evidence: JSON.stringify(evidence),
        created_at: parts.clock.now(),
      }),
    )
    parts.report({ event: 'artifact', build: context.build.number, target: target.triple, name, size, sha256 })
  }
}
