/** Rows in the shapes of Drone's API, which its clients read (drone.md, section 5): times are seconds, absent texts are empty. */
import type { BuildRow } from '../../database/queries/builds.ts'
import type { stagesWithSteps } from '../../database/queries/list-builds.ts'
import type { UserRow } from '../../database/queries/users.ts'
import type { PushEvent } from '../../event/event.ts'
import type { Plan } from '../../plan/plan.ts'
import type { KnownRepository } from '../parts.ts'

type StageRows = Awaited<ReturnType<typeof stagesWithSteps>>

const seconds = (milliseconds: number | null): number => (milliseconds === null ? 0 : Math.floor(milliseconds / 1000))

/** Rows have no numbers of their own that Drone's clients would ask for: names are what they are found by. */
const ID = 0

export function userShape(user: UserRow) {
  return {
    id: ID,
    login: user.login,
    email: '',
    machine: false,
    admin: user.admin === 1,
    active: true,
    avatar: '',
    syncing: false,
    synced: 0,
    created: seconds(user.created_at),
    updated: seconds(user.created_at),
    last_login: 0,
  }
}

export function repositoryShape({ name, row }: KnownRepository, user: UserRow) {
  const [namespace = '', own = ''] = name.split('/')
  return {
    id: ID,
    uid: row?.id ?? '',
    user_id: ID,
    namespace,
    name: own,
    slug: name,
    scm: 'git',
    git_http_url: '',
    git_ssh_url: '',
    link: '',
    default_branch: 'main',
    private: true,
    visibility: 'private',
    active: row?.active === 1,
    config_path: 'pitlane.yaml',
    trusted: false,
    protected: false,
    ignore_forks: false,
    ignore_pull_requests: false,
    auto_cancel_pull_requests: false,
    auto_cancel_pushes: false,
    auto_cancel_running: false,
    timeout: 60,
    counter: 0,
    synced: 0,
    created: seconds(row?.created_at ?? 0),
    updated: seconds(row?.created_at ?? 0),
    version: 1,
    permissions: { read: true, write: user.admin === 1, admin: user.admin === 1 },
  }
}

export function buildShape(build: BuildRow, push: PushEvent | undefined, plan: Plan) {
  return {
    id: ID,
    repo_id: ID,
    trigger: push === undefined ? build.actor : '@hook',
    number: build.number,
    status: buildStatus(build),
    event: push === undefined ? 'custom' : push.ref.startsWith('refs/tags/') ? 'tag' : 'push',
    action: '',
    link: '',
    timestamp: 0,
    title: '',
    message: plan.source.subject,
    before: '',
    after: build.commit_id,
    ref: push?.ref ?? `refs/heads/${build.revision}`,
    source_repo: '',
    source: build.revision,
    target: build.revision,
    author_login: build.actor,
    author_name: build.actor,
    author_email: '',
    author_avatar: '',
    sender: build.actor,
    started: seconds(build.created_at),
    finished: seconds(build.finished_at),
    created: seconds(build.created_at),
    updated: seconds(build.finished_at ?? build.created_at),
    version: 1,
  }
}

export function stageShapes(stages: StageRows) {
  return stages.map((stage, place) => ({
    id: ID,
    repo_id: ID,
    build_id: ID,
    number: place + 1,
    name: stage.id,
    kind: 'pipeline',
    type: 'exec',
    status: stageStatus(stage.state),
    error: stage.note ?? '',
    errignore: false,
    exit_code: 0,
    machine: '',
    os: 'linux',
    arch: '',
    started: seconds(stage.started_at),
    stopped: seconds(stage.finished_at),
    created: seconds(stage.started_at),
    updated: seconds(stage.finished_at ?? stage.started_at),
    version: 1,
    on_success: true,
    on_failure: false,
    depends_on: [],
    labels: {},
    steps: stage.steps.map((step, at) => ({
      id: ID,
      step_id: ID,
      number: at + 1,
      name: step.id.slice(stage.id.length + 1),
      status: stepStatus(step.state),
      error: '',
      errignore: false,
      exit_code: step.exit_code ?? 0,
      started: seconds(step.started_at),
      stopped: seconds(step.finished_at),
      version: 1,
    })),
  }))
}

export type Status = 'pending' | 'running' | 'success' | 'failure' | 'skipped' | 'error' | 'killed'

export function buildStatus({ state }: Pick<BuildRow, 'state'>): Status {
  return state === 'running' ? 'running' : state === 'succeeded' ? 'success' : 'failure'
}

function stageStatus(state: string): Status {
  if (state === 'waiting') return 'pending'
  if (['preparing', 'running', 'collecting'].includes(state)) return 'running'
  if (state === 'succeeded') return 'success'
  return state === 'failed' ? 'failure' : 'skipped'
}

function stepStatus(state: string): Status {
  if (state === 'waiting' || state === 'armed') return 'pending'
  if (state === 'succeeded') return 'success'
  if (state === 'skipped') return 'skipped'
  if (state === 'timed-out') return 'killed'
  return state === 'failed' ? 'failure' : 'running'
}
