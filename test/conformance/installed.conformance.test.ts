// Servers for tests are built once, whole or not at all.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { temporaryFolder } from './peers/server.ts'

const INSTALLED = new URL('peers/installed.ts', import.meta.url)

/** A peer whose building is a shell script: `$1` is the folder to build in. */
function peerOf(t: TestContext, script: string) {
  const cache = temporaryFolder('installed')
  t.after(() => cache.remove())
  const source = `
    import { installed } from ${JSON.stringify(INSTALLED.href)}
    const args = (folder) => ['-c', ${JSON.stringify(script)}, 'build', folder]
    const command = (folder) => ({ command: 'sh', args: args(folder) })
    console.log(JSON.stringify(installed({ name: 'peer-1', program: 'peer', command })))`
  const start = () =>
    spawn(process.execPath, ['--input-type=module', '-e', source], {
      env: { ...process.env, XDG_CACHE_HOME: cache.path },
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    })
  const peers = join(cache.path, 'pitlane', 'peers')
  return {
    cache: cache.path,
    peers,
    program: join(peers, 'peer-1', 'bin', 'peer'),
    start,
    find: async () => {
      const lines = (await text(start().stdout)).trimEnd().split('\n')
      return JSON.parse(lines.at(-1) ?? '') as { readonly program?: string; readonly absent?: string }
    },
  }
}

const MAKE = 'mkdir -p "$1/bin" && printf "#!/bin/sh\\n" >"$1/bin/peer" && chmod +x "$1/bin/peer"'

test('a build that fails is told, and nothing of it is found', async (t) => {
  const { find, program } = peerOf(t, `${MAKE}; echo "no such module" >&2; exit 1`)
  assert.deepEqual(await find(), { absent: 'peer-1 could not be built: no such module' })
  assert.equal(existsSync(program), false)
})

test('a build that leaves no program has failed', async (t) => {
  const { find } = peerOf(t, 'mkdir -p "$1/bin"')
  assert.match((await find()).absent ?? '', /could not be built/)
})

test('a build that was killed is not taken for a finished one, and what it left is in nobody’s way', async (t) => {
  const { start, find, peers, program, cache } = peerOf(
    t,
    `${MAKE}; if [ ! -e "$XDG_CACHE_HOME/once" ]; then touch "$XDG_CACHE_HOME/once"; sleep 600; fi`,
  )
  const first = start()
  while (!existsSync(join(cache, 'once'))) await sleep(20)
  // The whole group: the program, the lock's holder and the build.
  process.kill(-(first.pid ?? assert.fail()), 'SIGKILL')
  await once(first, 'close')
  assert.equal(existsSync(program), false)
  assert.equal(existsSync(join(peers, 'peer-1.building')), true)
  // And what an older version may have left.
  mkdirSync(join(peers, 'peer-1', 'bin'), { recursive: true })
  writeFileSync(join(peers, 'peer-1', 'bin', 'other'), '')
  assert.deepEqual(await find(), { program })
  assert.equal(existsSync(join(peers, 'peer-1.building')), false)
})

test('of two at once one builds, and both have it', async (t) => {
  const { find, program, cache } = peerOf(t, `echo built >>"$XDG_CACHE_HOME/count"; sleep 0.5; ${MAKE}`)
  assert.deepEqual(await Promise.all([find(), find()]), [{ program }, { program }])
  assert.deepEqual(await find(), { program })
  assert.equal(readFileSync(join(cache, 'count'), 'utf8'), 'built\n')
})
