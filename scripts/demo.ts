// `npm run demo`: the whole way of the product, once: a real repository, two releases, and the released binary that verifies itself.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const started = performance.now()
const output = resolve('demo-output')
const project = join(output, 'project')
const pitlane = resolve('bin/pitlane.js')

rmSync(output, { recursive: true, force: true })
mkdirSync(output)
const leftOut = new Set(['node_modules', 'zig-out', '.zig-cache'])
cpSync('examples/verifier', project, { recursive: true, filter: (path) => !leftOut.has(path.split('/').at(-1) ?? '') })

const env = {
  ...process.env,
  PITLANE_SIGNING_KEY: join(output, 'signing.key'),
  GIT_AUTHOR_NAME: 'Demo',
  GIT_AUTHOR_EMAIL: 'demo@example.org',
  GIT_COMMITTER_NAME: 'Demo',
  GIT_COMMITTER_EMAIL: 'demo@example.org',
}

step('a repository from examples/verifier, tagged v1.0.0')
run('git', ['init', '--quiet', '--initial-branch=main'])
run('git', ['add', '.'])
run('git', ['commit', '--quiet', '--message', 'Verify a release without Node'])
run('git', ['tag', '--annotate', 'v1.0.0', '--message', 'The first release.\n\nChecks the signature and every file of a release.'])

step('pitlane key generate')
run(process.execPath, [pitlane, 'key', 'generate', '--output', env.PITLANE_SIGNING_KEY])

step('pitlane release v1.0.0')
run(process.execPath, [pitlane, 'release', 'v1.0.0'])

step('another commit, released without a tag: a development release')
writeFileSync(join(project, 'NOTES.md'), 'After the first release.\n')
run('git', ['add', '.'])
run('git', ['commit', '--quiet', '--message', 'Begin the next version'])
run(process.execPath, [pitlane, 'release'])

step('the released binary verifies the release it came in')
const key = join(output, 'bucket/_releases/minisign.pub')
const folder = join(output, 'bucket/_releases/v1.0.0')
run(join(folder, 'x86_64-unknown-linux-musl/verifier'), ['--key', key, folder], { executable: true })

step('pitlane verify v1.0.0, as a stranger with the public key')
run(process.execPath, [pitlane, 'verify', 'v1.0.0', '--from', join(output, 'bucket'), '--key', key])

const page = join(output, 'bucket/_releases.html')
readFileSync(page)
console.log(`\nDone in ${((performance.now() - started) / 1000).toFixed(0)} s. Open the release page:\n  ${pathToFileURL(page).href}`)

function step(title: string): void {
  console.log(`\n== ${title}`)
}

function run(command: string, args: readonly string[], options: { executable?: boolean } = {}): void {
  // A bucket keeps no modes: whoever downloads a binary makes it executable.
  const program = options.executable ? executableCopy(command) : command
  const { status, error } = spawnSync(program, args, { cwd: project, env, stdio: 'inherit' })
  if (error) throw error
  if (status !== 0) {
    console.error(`demo: ${[command, ...args].join(' ')} ended with ${status}`)
    process.exit(1)
  }
}

function executableCopy(path: string): string {
  const copy = join(output, 'verifier')
  cpSync(path, copy)
  spawnSync('chmod', ['755', copy])
  return copy
}
