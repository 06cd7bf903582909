// `npm run demo`: the whole way of the product, once: a real repository, two releases, and the released binary that verifies itself.
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const started = performance.now()
const output = resolve('demo-output')
const project = join(output, 'project')
const bucket = join(output, 'bucket')
const pitlane = resolve('bin/pitlane.js')
const triple = process.arch === 'arm64' ? 'aarch64-unknown-linux-musl' : 'x86_64-unknown-linux-musl'

// A repository of its own: nothing of the person's git settings (signing, hooks) or of a repository around this one takes part.
const env: NodeJS.ProcessEnv = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_'))),
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'Demo',
  GIT_AUTHOR_EMAIL: 'demo@example.org',
  GIT_COMMITTER_NAME: 'Demo',
  GIT_COMMITTER_EMAIL: 'demo@example.org',
  PITLANE_SIGNING_KEY: join(output, 'signing.key'),
}

console.log(`
A small program, examples/verifier, goes the whole way from a commit to a published release, twice: checks, static binaries
for four architectures, tests on exactly these binaries, container images, signatures, release page. Then the binary that was
released verifies the release it came in. It takes about a minute; the first time, a compiler (Zig, 85 MB) is downloaded.
Everything lands in ${relative('.', output)}/; nothing is sent anywhere.`)
for (const program of ['git', 'npm', 'sh']) {
  if (spawnSync(program, ['--version'], { env }).error) stop(`${program} is not installed, and the demo needs it`)
}

rmSync(output, { recursive: true, force: true })
mkdirSync(output)
const leftOut = new Set(['node_modules', 'zig-out', '.zig-cache', 'public'])
cpSync('examples/verifier', project, { recursive: true, filter: (path) => !leftOut.has(basename(path)) })

step('A git repository from examples/verifier, tagged v1.0.0')
git('init', '--quiet', '--initial-branch=main')
git('add', '.')
git('commit', '--quiet', '--message', 'Verify a release without Node')
const notes = 'The first release.\n\nChecks the signature and every file of a release.'
git('tag', '--annotate', 'v1.0.0', '--message', notes)

step('The compiler for it: Zig, from npm, kept in your cache folder')
run('./zig.sh', ['version'])

step('pitlane key generate')
run(process.execPath, [pitlane, 'key', 'generate', '--output', join(output, 'signing.key')])

step('pitlane release v1.0.0')
run(process.execPath, [pitlane, 'release', 'v1.0.0'])

step('Another commit without a tag, and pitlane release: a development release')
writeFileSync(join(project, 'NOTES.md'), 'After the first release.\n')
git('add', '.')
git('commit', '--quiet', '--message', 'Begin the next version')
run(process.execPath, [pitlane, 'release'])

step('The released binary verifies the release it came in')
// A bucket keeps no modes: whoever downloads a binary makes it executable.
const key = join(bucket, '_releases/minisign.pub')
const folder = join(bucket, '_releases/v1.0.0')
cpSync(join(folder, triple, 'verifier'), join(output, 'verifier'))
chmodSync(join(output, 'verifier'), 0o755)
run(join(output, 'verifier'), ['--key', key, folder])

step('pitlane verify v1.0.0, as a stranger with the public key')
run(process.execPath, [pitlane, 'verify', 'v1.0.0', '--from', bucket, '--key', key])

const page = join(bucket, '_releases.html')
if (!existsSync(page)) stop(`${page} was not written`)
console.log(`
Done in ${seconds()}. Open the release page:

  ${pathToFileURL(page).href}

  ${relative('.', join(bucket, 'docs/index.html'))}   its documentation, built from the same commit
  ${relative('.', bucket)}/   what a web server or an S3 bucket would hold, byte for byte
  ${relative('.', join(output, 'images'))}/   the container images, an OCI image layout
  ${relative('.', project)}/  the repository; its pitlane.yaml is all that it took`)

function seconds(): string {
  return `${((performance.now() - started) / 1000).toFixed(0)} s`
}

function step(title: string): void {
  console.log(`\n== ${title}  (${seconds()})`)
}

function git(...args: readonly string[]): void {
  run('git', args)
}

function run(command: string, args: readonly string[]): void {
  const { status, signal, error } = spawnSync(command, args, { cwd: project, env, stdio: 'inherit' })
  if (error) stop(`${command} could not be started: ${error.message}`)
  if (status !== 0) stop(`${[command, ...args].join(' ')} ended with ${signal ?? status}`)
}

function stop(reason: string): never {
  console.error(`\ndemo: ${reason}`)
  process.exit(1)
}
