import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { PlannedStage } from '../plan/plan.ts'
import type { Fact, Limits, Order } from './facts.ts'
import { reduce } from './reducer.ts'
import {
  type BuildState,
  initialState,
  outcomeOf,
  type StageRun,
  type StepRun,
  stageEnded,
  stepActive,
} from './state.ts'

const LIMITS: Limits = { jobs: 2, attempts: 3 }

function stage(id: string, steps: Record<string, string[]>, options: Partial<PlannedStage> = {}): PlannedStage {
  return {
    id,
    kind: 'build',
    target: null,
    needs: [],
    outputs: [],
    required: true,
    steps: Object.entries(steps).map(([name, needs]) => ({
      id: `${id}/${name}`,
      name,
      run: ':',
      env: {},
      timeout: 60_000,
      needs: needs.map((need) => `${id}/${need}`),
    })),
    ...options,
  }
}

/** Applies facts one after the other; returns the last state and all orders as short text. */
function play(start: BuildState, facts: readonly Fact[], limits = LIMITS): { state: BuildState; orders: string[] } {
  const orders: string[] = []
  let state = start
  for (const fact of facts) {
    const turn = reduce(state, fact, limits)
    state = turn.state
    orders.push(...turn.orders.map(short))
  }
  return { state, orders }
}

function short(order: Order): string {
  const what = 'step' in order ? order.step : order.stage
  return `${order.kind} ${what} #${order.attempt}${order.kind === 'prepare' && !order.fresh ? ' keep' : ''}`
}

const chain = [stage('checks', { a: [], b: ['a'] })]
const prepared: Fact = { kind: 'prepared', stage: 'checks', attempt: 1 }
const ended = (step: string, code = 0, attempt = 1): Fact => ({
  kind: 'ended',
  stage: 'checks',
  attempt,
  step: `checks/${step}`,
  code,
})
const lost = (step: string, attempt = 1): Fact => ({ kind: 'lost', stage: 'checks', attempt, step: `checks/${step}` })

const held: Fact = { kind: 'held', stage: 'checks', attempt: 1, step: 'checks/b' }
const hasBegun: Fact = { ...held, kind: 'begun' }
const overdue: Fact = { kind: 'overdue', stage: 'checks', attempt: 1, step: 'checks/a' }
/** The first step runs, the second is armed behind it. */
const { state: oneArmed } = play(initialState(chain), [{ kind: 'resumed' }, prepared])
const states = (state: BuildState) => state.stages.flatMap(({ steps }) => steps.map((step) => step.state))

const flooding: Fact = { kind: 'flooding', stage: 'checks', attempt: 1, step: 'checks/a', bytes: 1000 }

test('a step that writes too much is killed, and fails its stage with that reason', () => {
  for (const end of [ended('a', 137), ended('a', 0), lost('a')]) {
    const { state, orders } = play(initialState(chain), [
      { kind: 'resumed' },
      prepared,
      flooding,
      flooding,
      end,
      lost('b'),
    ])
    assert.deepEqual(
      orders.filter((order) => order.startsWith('kill checks/a')),
      ['kill checks/a #1'],
    )
    const [checks] = state.stages
    assert.equal(checks?.state, 'failed')
    assert.equal(checks.error, 'STEP_OUTPUT_LIMIT')
    assert.equal(checks.note, 'step a wrote more than 1000 bytes of output')
    assert.equal(checks.steps[0]?.state, 'failed')
  }
})

test('an engine that takes over goes on killing a step that wrote too much', () => {
  const { state } = play(initialState(chain), [{ kind: 'resumed' }, prepared, flooding])
  assert.deepEqual(play(state, [{ kind: 'resumed' }]).orders, ['kill checks/a #1', 'kill checks/b #1'])
})

test('a stage is prepared, its steps run in order, its outputs are collected, its workspace goes', () => {
  const { state, orders } = play(initialState(chain), [
    { kind: 'resumed' },
    prepared,
    ended('a'),
    ended('b'),
    { kind: 'collected', stage: 'checks', attempt: 1 },
  ])
  assert.deepEqual(orders, [
    'prepare checks #1',
    'start checks/a #1',
    'arm checks/b #1',
    'attach checks/b #1',
    'collect checks #1',
    'destroy checks #1',
  ])
  assert.equal(outcomeOf(state), 'succeeded')
})

test('a red step skips what needs it and fails the stage with its exit code', () => {
  const { state, orders } = play(initialState(chain), [{ kind: 'resumed' }, prepared, ended('a', 7)])
  assert.deepEqual(orders, ['prepare checks #1', 'start checks/a #1', 'arm checks/b #1', 'destroy checks #1'])
  assert.equal(state.stages[0]?.steps[1]?.state, 'skipped')
  assert.equal(state.stages[0]?.error, 'STEP_FAILED')
  assert.match(state.stages[0]?.note ?? '', /step a .* 7/)
  assert.equal(outcomeOf(state), 'failed')
})

test('a lost step makes a new attempt that keeps the finished steps and the workspace', () => {
  const { state, orders } = play(initialState(chain), [{ kind: 'resumed' }, prepared, ended('a'), lost('b')])
  assert.deepEqual(orders.slice(-1), ['prepare checks #2 keep'])
  const after = play(state, [{ ...prepared, attempt: 2 }, ended('b', 0, 2)])
  assert.deepEqual(after.orders, ['start checks/b #2', 'collect checks #2'])
  assert.equal(after.state.stages[0]?.steps[0]?.attempt, 1)
})

test('a lost first step starts again from a clean checkout', () => {
  const { orders } = play(initialState(chain), [{ kind: 'resumed' }, prepared, lost('a')])
  assert.deepEqual(orders.slice(-1), ['prepare checks #2'])
})

test('a step that is lost in every attempt fails the stage', () => {
  const facts: Fact[] = [{ kind: 'resumed' }]
  for (const attempt of [1, 2, 3]) facts.push({ ...prepared, attempt }, lost('a', attempt))
  const { state } = play(initialState(chain), facts)
  assert.equal(state.stages[0]?.state, 'failed')
  assert.equal(state.stages[0]?.error, 'EXECUTOR_FAILED')
  assert.equal(
    state.stages[0]?.note,
    '3 attempts were lost, the last one in step a: its processes were ended from outside, or its disk is full',
  )
})

/** What the next engine makes of the rows. */
const takenUp = (state: BuildState): BuildState => ({ ...state, draining: false })

test('what a person stops, however often, is not lost', () => {
  let state = initialState(chain)
  for (const attempt of [1, 2, 3, 4, 5]) {
    state = play(takenUp(state), [
      { kind: 'resumed' },
      { ...prepared, attempt },
      { kind: 'interrupt' },
      // The supervisor went with it, or told of the kill.
      attempt % 2 === 0 ? lost('a', attempt) : ended('a', 137, attempt),
      lost('b', attempt),
    ]).state
    assert.equal(state.stages[0]?.state, 'running')
    assert.deepEqual(state.stages[0]?.lost, [])
  }
  const facts: Fact[] = [{ kind: 'resumed' }]
  for (const attempt of [6, 7]) facts.push({ ...prepared, attempt }, lost('a', attempt))
  state = play(takenUp(state), [...facts, { ...prepared, attempt: 8 }]).state
  assert.deepEqual(state.stages[0]?.lost, [6, 7])
  assert.equal(play(state, [lost('a', 8)]).state.stages[0]?.error, 'EXECUTOR_FAILED')
})

test('an attempt that loses two steps is lost once', () => {
  const beside = [stage('checks', { a: [], b: [] })]
  const facts: Fact[] = [{ kind: 'resumed' }]
  for (const attempt of [1, 2]) facts.push({ ...prepared, attempt }, lost('a', attempt), lost('b', attempt))
  const { state } = play(initialState(beside), [...facts, { ...prepared, attempt: 3 }])
  assert.deepEqual(state.stages[0]?.lost, [1, 2])
  assert.deepEqual(states(state), ['running', 'running'])
  assert.deepEqual(states(play(state, [lost('a', 3), lost('b', 3)]).state), ['failed', 'failed'])
})

test('of two causes to fail, the first one is told; after a restart of the machine neither counts', () => {
  const two = [stage('checks', { a: [], b: [] })]
  const { state: running } = play(initialState(two), [{ kind: 'resumed' }, prepared])
  const once = { ...LIMITS, attempts: 1 }
  for (const [facts, error] of [
    [[flooding, lost('b'), ended('a', 137)], 'STEP_OUTPUT_LIMIT'],
    [[lost('b'), flooding, ended('a', 137)], 'EXECUTOR_FAILED'],
  ] as const) {
    const checks = play(running, facts, once).state.stages[0]
    assert.equal(checks?.state, 'failed')
    assert.equal(checks.error, error)
    assert.match(checks.note ?? '', error === 'EXECUTOR_FAILED' ? /were lost/ : /bytes of output/)
  }
  const { state } = play(running, [
    flooding,
    { kind: 'restarted', stage: 'checks', attempt: 1 },
    { kind: 'resumed' },
    { ...prepared, attempt: 2 },
    ended('a', 1, 2),
    ended('b', 0, 2),
  ])
  assert.equal(state.stages[0]?.error, 'STEP_FAILED')
})

test('a machine that is restarted while nothing ran has lost nothing', () => {
  const restarted = (attempt: number): Fact => ({ kind: 'restarted', stage: 'checks', attempt })
  const running = play(initialState(chain), [{ kind: 'resumed' }, prepared]).state
  const stopped = play(running, [{ kind: 'interrupt' }, ended('a', 137), lost('b')]).state
  assert.deepEqual(play(stopped, [restarted(1)]).state.stages[0]?.lost, [])
  assert.deepEqual(play(running, [restarted(1)]).state.stages[0]?.lost, [1])
  // Its steps had ended, and their outputs were being collected.
  const collecting = play(running, [ended('a'), ended('b')]).state
  assert.deepEqual(play(collecting, [restarted(1)]).state.stages[0]?.lost, [1])
})

test('facts of an older attempt change nothing', () => {
  const { state } = play(initialState(chain), [{ kind: 'resumed' }, prepared, lost('a'), { ...prepared, attempt: 2 }])
  for (const stale of [
    ended('a', 1, 1),
    lost('a', 1),
    { kind: 'collected', stage: 'checks', attempt: 1 } as const,
    prepared,
  ]) {
    const turn = reduce(state, stale, LIMITS)
    assert.deepEqual(turn.state, state)
    assert.deepEqual(turn.orders, [])
  }
})

test('a step past its timeout is killed, and is timed out whatever the kill leaves behind', () => {
  for (const end of [lost('a'), ended('a', 0), ended('a', 137)]) {
    const { state, orders } = play(initialState(chain), [
      { kind: 'resumed' },
      prepared,
      { kind: 'overdue', stage: 'checks', attempt: 1, step: 'checks/a' },
      end,
      lost('b'),
    ])
    assert.ok(orders.includes('kill checks/a #1'))
    assert.equal(state.stages[0]?.steps[0]?.state, 'timed-out')
    assert.equal(state.stages[0]?.error, 'STEP_TIMEOUT')
  }
})

test('after a restart of the machine a stage begins again in a clean checkout, whatever had finished', () => {
  const { state } = play(initialState(chain), [{ kind: 'resumed' }, prepared, ended('a')])
  const after = play(state, [{ kind: 'restarted', stage: 'checks', attempt: 1 }, { kind: 'resumed' }])
  assert.deepEqual(after.orders, ['prepare checks #2'])
  assert.deepEqual(play(after.state, [{ ...prepared, attempt: 2 }]).orders, ['start checks/a #2', 'arm checks/b #2'])
})

test('after a restart of the machine nothing is ordered twice, and there are no more jobs than before', () => {
  const four = ['one', 'two', 'three', 'four'].map((id) => stage(id, { s: [] }))
  const begun = play(initialState(four), [{ kind: 'resumed' }], { ...LIMITS, jobs: 3 }).state
  const restarted = (id: string): Fact => ({ kind: 'restarted', stage: id, attempt: 1 })
  const { state, orders } = play(begun, [restarted('one'), restarted('two'), restarted('three'), { kind: 'resumed' }])
  assert.deepEqual(orders, ['prepare one #2', 'prepare two #2'])
  assert.deepEqual(
    state.stages.map((one) => `${one.state} ${one.attempt}: ${one.reason}`),
    [
      'preparing 2: the machine was restarted',
      'preparing 2: the machine was restarted',
      'waiting 1: first',
      'waiting 0: first',
    ],
  )
})

test('draining starts nothing more; resuming goes on', () => {
  for (const facts of [
    [ended('a'), held],
    [held, ended('a')],
  ]) {
    const { state, orders } = play(oneArmed, [{ kind: 'drain' }, { kind: 'drain' }, ...facts])
    assert.deepEqual(orders, ['disarm checks/b #1'])
    assert.deepEqual(states(state), ['succeeded', 'waiting'])
    // The same attempt: what never began is not lost.
    assert.deepEqual(play({ ...state, draining: false }, [{ kind: 'resumed' }]).orders, ['start checks/b #1'])
  }
})

test('interrupting kills what runs; the next engine tries it again as a new attempt', () => {
  for (const end of [lost('a'), ended('a', 137)]) {
    const { state, orders } = play(oneArmed, [{ kind: 'interrupt' }, end, lost('b')])
    assert.deepEqual(orders, ['kill checks/a #1', 'kill checks/b #1'])
    assert.deepEqual(states(state), ['waiting', 'waiting'])
    assert.equal(outcomeOf(state), null)
    assert.deepEqual(play({ ...state, draining: false }, [{ kind: 'resumed' }]).orders, ['prepare checks #2'])
  }
})

test('a step that finished while it was being interrupted has finished', () => {
  const { state } = play(initialState(chain), [{ kind: 'resumed' }, prepared, { kind: 'interrupt' }, ended('a')])
  assert.equal(state.stages[0]?.steps[0]?.state, 'succeeded')
})

test('after a crash every active state gives its order again', () => {
  const stages = [stage('one', { s: [] }), stage('two', { s: [] }), stage('three', { s: [] })]
  const { state } = play(
    initialState(stages),
    [
      { kind: 'resumed' },
      { kind: 'prepared', stage: 'two', attempt: 1 },
      { kind: 'prepared', stage: 'three', attempt: 1 },
      { kind: 'ended', stage: 'three', attempt: 1, step: 'three/s', code: 0 },
    ],
    { jobs: 3, attempts: 3 },
  )
  assert.deepEqual(play(state, [{ kind: 'resumed' }]).orders, ['prepare one #1', 'attach two/s #1', 'collect three #1'])
})

test('a step that needs one running step more is armed behind it, and takes over its job', () => {
  const [three] = [stage('checks', { a: [], b: ['a'], c: ['b'] })]
  const limits = { jobs: 1, attempts: 3 }
  const first = play(initialState([three]), [{ kind: 'resumed' }, prepared], limits)
  assert.deepEqual(first.orders.slice(1), ['start checks/a #1', 'arm checks/b #1'])
  assert.deepEqual(states(first.state), ['running', 'armed', 'waiting'])
  const second = play(first.state, [ended('a')], limits)
  assert.deepEqual(second.orders, ['attach checks/b #1', 'arm checks/c #1'])
  assert.deepEqual(states(second.state), ['succeeded', 'running', 'armed'])
  const { orders } = reduce(initialState([three]), { kind: 'resumed' }, limits)
  assert.equal(orders.length, 1)
})

test('only one step is armed behind another, and none that needs two that run', () => {
  const diamond = [stage('checks', { a: [], b: ['a'], c: ['a'], d: ['b', 'c'] })]
  const one = play(initialState(diamond), [{ kind: 'resumed' }, prepared])
  assert.deepEqual(states(one.state), ['running', 'armed', 'waiting', 'waiting'])
  const two = play(one.state, [ended('a')])
  assert.deepEqual(two.orders, ['attach checks/b #1', 'start checks/c #1'])
  assert.deepEqual(states(two.state), ['succeeded', 'running', 'running', 'waiting'])
  const three = play(two.state, [ended('b')])
  assert.deepEqual(three.orders, ['arm checks/d #1'])
})

test('an armed step whose predecessor is lost is tried again with it, in one more attempt', () => {
  const { state, orders } = play(oneArmed, [lost('a')])
  assert.deepEqual(orders, ['prepare checks #2'])
  assert.deepEqual(states(state), ['waiting', 'waiting'])
  const after = play(state, [{ ...prepared, attempt: 2 }])
  assert.deepEqual(after.orders, ['start checks/a #2', 'arm checks/b #2'])
})

test('an armed step whose predecessor runs too long or writes too much is ended too, and skipped however far it came', () => {
  for (const fact of [overdue, flooding]) {
    for (const facts of [
      [ended('a'), ended('b', 137)],
      [ended('a'), ended('b')],
      [ended('b'), ended('a', 137)],
      [lost('b'), lost('a')],
    ]) {
      const { state, orders } = play(oneArmed, [fact, ...facts])
      assert.deepEqual(orders, ['kill checks/a #1', 'kill checks/b #1', 'destroy checks #1'])
      assert.deepEqual(states(state), [fact === overdue ? 'timed-out' : 'failed', 'skipped'])
    }
  }
})

test('an armed step that begins and ends by itself while it is interrupted has finished', () => {
  const { state } = play(oneArmed, [{ kind: 'interrupt' }, ended('b'), ended('a')])
  assert.deepEqual(states(state), ['succeeded', 'succeeded'])
})

test('an armed step that had begun when it was to be taken back is let finish', () => {
  for (const facts of [
    [ended('a'), hasBegun],
    [hasBegun, ended('a')],
  ]) {
    const { state, orders } = play(oneArmed, [{ kind: 'drain' }, ...facts])
    assert.deepEqual(orders, ['disarm checks/b #1', 'attach checks/b #1'])
    assert.deepEqual(states(state), ['succeeded', 'running'])
  }
})

test('an armed step that nobody had handed over is lost, and what is interrupted meanwhile is not held', () => {
  const gone = play(oneArmed, [{ kind: 'drain' }, ended('a'), lost('b')])
  assert.deepEqual(play({ ...gone.state, draining: false }, [{ kind: 'resumed' }]).orders, ['prepare checks #2 keep'])
  // Its output is taken: only another attempt can begin it.
  const stopped = play(oneArmed, [{ kind: 'drain' }, { kind: 'interrupt' }, held])
  assert.deepEqual(states(stopped.state), ['interrupting', 'interrupting'])
})

test('an engine that takes over asks for an armed step when its turn has come, and arms nothing behind what it inherits', () => {
  const chained = [stage('checks', { a: [], b: ['a'], c: ['b'], d: ['c'] })]
  const before = play(initialState(chained), [{ kind: 'resumed' }, prepared])
  const after = play(before.state, [{ kind: 'resumed' }, ended('a'), ended('b')])
  assert.deepEqual(after.orders, ['attach checks/a #1', 'attach checks/b #1', 'start checks/c #1', 'arm checks/d #1'])
  // The engine before died while it took the step back, and the step before had ended.
  const drained = play(before.state, [{ kind: 'drain' }, ended('a')])
  assert.deepEqual(states(drained.state), ['succeeded', 'armed', 'waiting', 'waiting'])
  const next = play({ ...drained.state, draining: false }, [{ kind: 'resumed' }])
  assert.deepEqual(next.orders, ['attach checks/b #1'])
})

test('a required stage that cannot run fails the build; another is not run, and never counts as passed', () => {
  for (const required of [true, false]) {
    const { state } = play(initialState([stage('test', { s: [] }, { required })]), [
      { kind: 'resumed' },
      { kind: 'unrunnable', stage: 'test', attempt: 1, reason: 'no qemu' },
    ])
    assert.equal(state.stages[0]?.state, required ? 'failed' : 'not-run')
    assert.equal(outcomeOf(state), required ? 'failed' : 'succeeded')
  }
})

const done = (s: StageRun, id: string) => s.steps.some((step) => step.plan.id === id && step.state === 'succeeded')

/** Random stage graphs whose needs point backwards, as the plan guarantees. */
const graph = fc
  .array(
    fc.record({ steps: fc.integer({ min: 1, max: 4 }), needs: fc.array(fc.nat(5)), links: fc.array(fc.nat(20)) }),
    {
      minLength: 1,
      maxLength: 5,
    },
  )
  .map((specs) =>
    specs.map((spec, index) =>
      stage(
        `s${index}`,
        Object.fromEntries(
          Array.from({ length: spec.steps }, (_, n) => [
            `t${n}`,
            n === 0 ? [] : spec.links.slice(n, n + 1).map((l) => `t${l % n}`),
          ]),
        ),
        { needs: index === 0 ? [] : [...new Set(spec.needs.map((need) => `s${need % index}`))] },
      ),
    ),
  )

test('whatever happens in whatever order: jobs are respected, needs come first, crashes lose nothing, and it ends', () => {
  fc.assert(
    fc.property(graph, fc.integer({ min: 1, max: 3 }), fc.infiniteStream(fc.nat(999)), (stages, jobs, dice) => {
      const limits = { jobs, attempts: 3 }
      const roll = (sides: number) => Number(dice.next().value) % sides
      let state = initialState(stages)
      let pending: Order[] = []
      let turns = 0
      const isArmedBehind = (s: StageRun, step: StepRun) =>
        step.plan.needs.some((id) => s.steps.some((other) => other.plan.id === id && other.state !== 'succeeded'))
      const tell = (fact: Fact) => {
        const turn = reduce(state, fact, limits)
        for (const order of turn.orders) {
          if (order.kind === 'arm') assert.ok(!turn.state.draining)
          if (order.kind !== 'start' && order.kind !== 'attach') continue
          const owner = turn.state.stages.find((s) => s.plan.id === order.stage)
          const step = owner?.steps.find((s) => s.plan.id === order.step)
          for (const need of step?.plan.needs ?? []) {
            assert.equal(owner?.steps.find((s) => s.plan.id === need)?.state, 'succeeded')
          }
          for (const need of owner?.plan.needs ?? []) {
            assert.equal(turn.state.stages.find((s) => s.plan.id === need)?.state, 'succeeded')
          }
        }
        state = turn.state
        pending.push(...turn.orders.filter((order) => order.kind !== 'destroy'))
        const once = pending.filter((order) => order.kind !== 'kill').map(short)
        assert.equal(new Set(once).size, once.length, `ordered twice: ${once.join(', ')}`)
        const busy = state.stages.reduce(
          (sum, s) =>
            sum +
            (s.state === 'preparing' || s.state === 'collecting'
              ? 1
              : s.steps.filter((step) => stepActive(step) && !isArmedBehind(s, step)).length),
          0,
        )
        assert.ok(busy <= jobs, `${busy} busy with ${jobs} jobs`)
        for (const s of state.stages) {
          const early = s.steps.filter((step) => stepActive(step) && isArmedBehind(s, step))
          assert.ok(early.every((step) => step.state === 'interrupting'))
        }
        for (const s of state.stages) {
          const armed = s.steps.filter((step) => step.state === 'armed')
          const open = armed.map((step) => step.plan.needs.filter((id) => !done(s, id)))
          assert.ok(open.every((ids) => ids.length <= 1))
          assert.equal(new Set(open.flat()).size, open.flat().length)
          if (!state.draining && fact.kind !== 'restarted') assert.ok(open.every((ids) => ids.length === 1))
        }
      }
      tell({ kind: 'resumed' })
      while (outcomeOf(state) === null) {
        turns += 1
        assert.ok(turns < 2000, 'it ends')
        if (roll(30) === 0) tell({ kind: roll(2) === 0 ? 'drain' : 'interrupt' })
        if (roll(10) === 0 || (state.draining && pending.length === 0)) {
          // The engine died or was stopped: all orders are forgotten and must come again from the state.
          pending = []
          state = { ...state, draining: false }
          // Sometimes the whole machine was restarted.
          if (roll(3) === 0) {
            const begun = state.stages.filter((s) => s.attempt > 0 && !stageEnded(s))
            for (const s of begun) tell({ kind: 'restarted', stage: s.plan.id, attempt: s.attempt })
          }
          if (roll(9) === 0) tell({ kind: roll(2) === 0 ? 'drain' : 'interrupt' })
          tell({ kind: 'resumed' })
          continue
        }
        assert.ok(pending.length > 0, 'something is under way')
        const [order] = pending.splice(roll(pending.length), 1)
        if (order === undefined) continue
        const at = { stage: order.stage, attempt: order.attempt }
        if (order.kind === 'prepare') {
          tell(
            roll(12) === 0
              ? { kind: 'unfit', ...at, error: 'CONFIG_INVALID', message: 'no' }
              : { kind: 'prepared', ...at },
          )
        } else if (order.kind === 'collect') {
          tell(
            roll(12) === 0
              ? { kind: 'unfit', ...at, error: 'OUTPUT_MISSING', message: 'no' }
              : { kind: 'collected', ...at },
          )
        } else if (order.kind === 'disarm') {
          const owner = state.stages.find((s) => s.plan.id === order.stage)
          const step = owner?.steps.find((s) => s.plan.id === order.step)
          const turn = owner !== undefined && (step?.plan.needs ?? []).every((id) => done(owner, id))
          tell({ kind: roll(10) === 0 ? 'lost' : turn && roll(2) === 0 ? 'begun' : 'held', ...at, step: order.step })
        } else if (order.kind !== 'arm' && 'step' in order) {
          if (order.kind !== 'kill' && roll(8) === 0) tell({ kind: 'overdue', ...at, step: order.step })
          else if (order.kind !== 'kill' && roll(20) === 0)
            tell({ kind: 'flooding', ...at, step: order.step, bytes: 1 })
          else if (roll(6) === 0) tell({ kind: 'lost', ...at, step: order.step })
          else tell({ kind: 'ended', ...at, step: order.step, code: roll(5) === 0 ? 1 : 0 })
        }
      }
      assert.ok(state.stages.every(stageEnded))
      for (const { lost: gone, error, note, state: last } of state.stages) {
        if (last === 'failed') assert.ok(error !== null && note !== null)
        if (error === 'EXECUTOR_FAILED') assert.ok(gone.length >= limits.attempts)
        // What else it is going to fail for may have come first.
        else if (gone.length >= limits.attempts) assert.equal(error, 'STEP_OUTPUT_LIMIT')
      }
      // A build is green only when each of its steps is.
      assert.equal(
        outcomeOf(state) === 'succeeded',
        state.stages.every((s) => s.steps.every((step) => step.state === 'succeeded') && s.state === 'succeeded'),
      )
    }),
    { numRuns: 400 },
  )
})
