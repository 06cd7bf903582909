/** One build: its stages, steps and what they print. */
import type { BuildRow } from '../../database/queries/builds.ts'
import type { stagesWithSteps } from '../../database/queries/list-builds.ts'
import type { PushEvent } from '../../event/event.ts'
import { buildStatus, stageShapes } from '../api/shapes.ts'
import { ago, render, StatusWord } from './page.tsx'

export interface BuildPageParts {
  readonly name: string
  readonly build: BuildRow
  readonly push: PushEvent | undefined
  /** First line of the commit's message. */
  readonly subject: string
  readonly stages: Awaited<ReturnType<typeof stagesWithSteps>>
  /** By step: the end of what it has printed, and how many bytes came before that. */
  readonly outputs: ReadonlyMap<string, { readonly text: string; readonly left: number }>
  readonly now: number
}

export function buildPage({ name, build, push, subject, stages, outputs, now }: BuildPageParts): string {
  const shapes = stageShapes(stages)
  return render({
    title: `Build ${build.number}`,
    trail: [{ name, href: `/${name}` }],
    ...(build.state === 'running' ? { refresh: 2 } : {}),
    children: (
      <>
        <p>
          <StatusWord status={buildStatus(build)} /> · {subject}
        </p>
        <p class="quiet">
          {push?.ref ?? build.revision} · <code>{build.commit_id}</code> · by {build.actor} ·{' '}
          {ago(build.created_at, now)}
        </p>
        {stages.map((stage, place) => (
          <section>
            <h2>
              {stage.id} <StatusWord status={shapes[place]?.status ?? 'pending'} />
            </h2>
            {stage.note === null ? null : <p>{stage.note}</p>}
            {stage.steps.map((step, at) => (
              <Step
                name={shapes[place]?.steps[at]?.name ?? step.id}
                status={shapes[place]?.steps[at]?.status ?? 'pending'}
                took={step.started_at === null || step.finished_at === null ? null : step.finished_at - step.started_at}
                output={outputs.get(step.id)}
              />
            ))}
          </section>
        ))}
      </>
    ),
  })
}

interface StepParts {
  readonly name: string
  readonly status: string
  /** Milliseconds. */
  readonly took: number | null
  readonly output: { readonly text: string; readonly left: number } | undefined
}

function Step({ name, status, took, output }: StepParts) {
  return (
    <details open={status === 'failure' || status === 'running'}>
      <summary>
        {name} <StatusWord status={status} />{' '}
        {took === null ? null : <span class="quiet">{(took / 1000).toFixed(1)} s</span>}
      </summary>
      {output === undefined || output.left === 0 ? null : (
        <p class="quiet">{output.left} bytes before this are not shown.</p>
      )}
      <pre>{output?.text ?? ''}</pre>
    </details>
  )
}
