// What the caller left open reaches no step.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { test } from 'node:test'

const module = JSON.stringify(new URL('inherited.ts', import.meta.url).href)

/** Where the descriptors of a child of a process point that was itself started with 40 and 41. */
function descriptorsOfChild(spawning: string, limit = 1000): string {
  const left = openSync('/etc/passwd', 'r')
  const program = `
    import { spawnSync } from 'node:child_process'
    import { inheritedDescriptors, withoutInherited } from ${module}
    const look = (behind) => spawnSync('ls', ['-l', '/proc/self/fd'], { stdio: ['ignore', 'pipe', 'inherit', ...behind], encoding: 'utf8' })
    process.stdout.write((${spawning}).stdout)`
  const stdio = Array.from({ length: 42 }, (_, at) => (at > 39 ? left : at === 1 ? 'pipe' : 'ignore'))
  const argv = [process.execPath, '--input-type=module', '-e', program]
  const ran = spawnSync('sh', ['-c', `ulimit -n ${limit}; exec "$@"`, 'sh', ...argv], { stdio, encoding: 'utf8' })
  closeSync(left)
  return String(ran.output[1])
}

test('a program that is started has /dev/null where the caller left something open', () => {
  assert.match(descriptorsOfChild('look([])'), /40 -> \/etc\/passwd/)
  const shown = descriptorsOfChild('withoutInherited(look)')
  assert.match(shown, /40 -> \/dev\/null\n.*41 -> \/dev\/null/)
  assert.doesNotMatch(shown, /passwd/)
})

test('beyond what the limit allows nothing can be put in their place, and programs still start', () => {
  assert.match(descriptorsOfChild('withoutInherited(look)', 40), /40 -> \/etc\/passwd/)
})
