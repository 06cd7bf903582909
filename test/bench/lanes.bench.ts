// 100 steps that do nothing: through the executor in one lane, from a bare Node loop, and from a shell loop. Rounds interleaved.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../src/clock.ts'
import { ProcessExecutor } from '../../src/executors/process/executor.ts'

const STEPS = 100
const ROUNDS = 7

async function throughExecutor(command: string, isolation?: 'process-group'): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'pitlane-bench-'))
  const attempt = { attemptId: 'bench', folder }
  const executor = new ProcessExecutor({ clock: systemClock, ...(isolation ? { isolation } : {}) })
  await executor.prepare(attempt)
  for (let index = 0; index < STEPS; index++) {
    await executor.start({
      attempt,
      index,
      run: command,
      env: { PATH: '/usr/bin:/bin' },
      cwd: join(folder, 'workspace'),
    })
    const exit = await executor.wait({ attempt, index })
    if (exit.kind === 'lost' || exit.code !== 0) throw new Error(`step ${index}: ${JSON.stringify(exit)}`)
  }
  await executor.close()
  setImmediate(() => rmSync(folder, { recursive: true, force: true }))
}

async function bareNode(command: string): Promise<void> {
  for (let index = 0; index < STEPS; index++) {
    await once(spawn('/bin/sh', ['-e', '-c', command], { stdio: 'ignore' }), 'exit')
  }
}

async function shellLoop(command: string): Promise<void> {
  const loop = `i=0; while [ $i -lt ${STEPS} ]; do /bin/sh -e -c '${command}'; i=$((i+1)); done`
  await once(spawn('/bin/sh', ['-c', loop], { stdio: 'ignore' }), 'exit')
}

/** Of several rounds on a machine with other work: the one that was disturbed least. */
function best(values: readonly number[]): number {
  return Math.min(...values)
}

function cell(value: number, digits: number, width: number): string {
  return value.toFixed(digits).padStart(width)
}

console.log(`${STEPS} steps, best of ${ROUNDS} rounds, milliseconds`)
console.log('command    node  shell  executor  /node /shell  group  /node /shell')
for (const command of [':', '/bin/true']) {
  const ways = {
    node: () => bareNode(command),
    shell: () => shellLoop(command),
    executor: () => throughExecutor(command),
    group: () => throughExecutor(command, 'process-group'),
  }
  const times: Record<keyof typeof ways, number[]> = { node: [], shell: [], executor: [], group: [] }
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, way] of Object.entries(ways)) {
      const since = performance.now()
      await way()
      // The first round warms up.
      if (round > 0) times[name as keyof typeof ways].push(performance.now() - since)
    }
  }
  const [node, shell, executor, group] = [times.node, times.shell, times.executor, times.group].map(best)
  if (node === undefined || shell === undefined || executor === undefined || group === undefined)
    throw new Error('no times')
  console.log(
    `${command.padEnd(9)}${cell(node, 0, 6)}${cell(shell, 0, 7)}${cell(executor, 0, 10)}${cell(executor / node, 2, 7)}${cell(executor / shell, 2, 7)}` +
      `${cell(group, 0, 7)}${cell(group / node, 2, 7)}${cell(group / shell, 2, 7)}`,
  )
}
