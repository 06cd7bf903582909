// An engine to be killed: starts the steps it is told, one after the other where asked, says so and stays. One that begins with `&&` is armed
// behind the one before it.
import { systemClock } from '../../src/clock.ts'
import { ProcessExecutor } from '../../src/executors/process/executor.ts'

const [folder = '', isolation = '', ...runs] = process.argv.slice(2)
const executor = new ProcessExecutor({
  clock: systemClock,
  ...(isolation === 'process-group' ? { isolation: 'process-group' as const } : {}),
})
const attempt = { attemptId: 'attempt-1', folder }
const isArmed = (run: string | undefined) => run?.startsWith('&& ') === true
for (const [index, run] of runs.entries()) {
  const order = isArmed(run) ? { run: run.slice(3), after: index - 1 } : { run }
  const step = { attempt, index, ...order, env: { PATH: '/usr/bin:/bin' }, cwd: `${folder}/workspace` }
  if (isArmed(runs[index + 1])) await executor.start(step)
  else if (index < runs.length - 1) {
    await executor.start(step)
    await executor.wait(step)
    process.stdout.write(`ended ${index}\n`)
    // Until the test has done what it wants between the steps.
    await new Promise((resolve) => process.stdin.once('data', resolve))
  } else {
    const started = executor.start(step)
    process.stdout.write(`ordered ${index}\n`)
    const how = await started.then(
      () => 'started',
      () => 'refused',
    )
    process.stdout.write(`${how} ${index}\n`)
  }
}
await executor.wait({ attempt, index: runs.length - 1 })
