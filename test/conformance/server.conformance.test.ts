// A whole server with real repositories that are pushed to: what is checked, what is shown, to whom, and what a `kill -9` changes (nothing).
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'

const IN_TIME = { timeout: 300_000 }
/** Milliseconds that a loaded machine may take for what takes a second. */
const PATIENCE = 60_000

let product: string

before(() => {
  product = mkdtempSync(join(tmpdir(), 'pitlane-server-product-'))
  const built = spawnSync(process.execPath, ['scripts/build.ts', '--out', join(product, 'dist')], { encoding: 'utf8' })
  assert.equal(built.status, 0, built.stderr)
  mkdirSync(join(product, 'bin'))
  for (const file of ['bin/pitlane.js', 'package.json']) cpSync(file, join(product, file))
})

after(() => rmSync(product, { recursive: true, force: true }))

interface Build {
  readonly number: number
  readonly status: string
  readonly event: string
  readonly ref: string
  readonly after: string
  readonly message: string
}

class World {
  readonly root = mkdtempSync(join(tmpdir(), 'pitlane-server-'))
  readonly data = join(this.root, 'data')
  readonly bare = join(this.data, 'git', 'ada', 'hello.git')
  readonly work = join(this.root, 'work')
  /** To which each step that runs adds a line. */
  readonly ran = join(this.root, 'ran')
  readonly env: Record<string, string> = {
    PATH: process.env['PATH'] ?? '',
    HOME: this.root,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: 'Toy',
    GIT_AUTHOR_EMAIL: 'toy@example.org',
    GIT_COMMITTER_NAME: 'Toy',
    GIT_COMMITTER_EMAIL: 'toy@example.org',
    REMOTE_USER: 'ada',
  }
  #server: ChildProcess | null = null
  url = ''
  loginUrl = ''
  output = ''

  constructor(t: TestContext) {
    mkdirSync(this.bare, { recursive: true })
    this.git(this.bare, 'init', '--quiet', '--bare', '--initial-branch=main')
    this.git(this.root, 'clone', '--quiet', this.bare, this.work)
    writeFileSync(this.ran, '')
    t.after(async () => {
      await this.kill('SIGTERM')
      rmSync(this.root, { recursive: true, force: true })
    })
  }

  git(cwd: string, ...args: string[]): string {
    const { status, stdout, stderr } = spawnSync('git', args, { cwd, env: this.env, encoding: 'utf8' })
    assert.equal(status, 0, stderr)
    return stdout.trim()
  }

  /** A commit whose checks are these; the name of a check is also what it writes down. Returns its id. */
  commit(message: string, checks: Readonly<Record<string, string>> = { unit: 'true' }): string {
    const steps = Object.entries(checks).map(
      ([name, run]) =>
        `  - { name: ${name}, run: ${JSON.stringify(`echo "$COMMIT ${name}" >> '${this.ran}'; ${run}`)} }`,
    )
    writeFileSync(join(this.work, 'pitlane.yaml'), `name: hello\nchecks:\n${steps.join('\n')}\n`)
    this.git(this.work, 'add', '.')
    this.git(this.work, 'commit', '--quiet', '--allow-empty', `--message=${message}`)
    return this.git(this.work, 'rev-parse', 'HEAD')
  }

  push(...refs: string[]): void {
    this.git(this.work, 'push', '--quiet', '--force', 'origin', ...refs)
  }

  async start(): Promise<void> {
    const args = [join(product, 'bin/pitlane.js'), 'serve', '--data', this.data, '--listen', '127.0.0.1:0']
    const child = spawn(process.execPath, args, { cwd: this.root, env: this.env, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#server = child
    this.output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (this.output += text))
    await until(
      () => /for programs/.test(this.output) || child.exitCode !== null,
      () => this.output,
    )
    assert.equal(child.exitCode, null, this.output)
    this.url = / at (http:\S+)/.exec(this.output)?.[1] ?? ''
    this.loginUrl = /log in +(\S+)/.exec(this.output)?.[1] ?? ''
  }

  /** Ends the server, if one runs. Returns its exit code. */
  async kill(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#server
    if (child === null || child.exitCode !== null || child.signalCode !== null) return null
    const ended = once(child, 'exit') as Promise<[number | null]>
    child.kill(signal)
    return (await ended)[0]
  }

  get token(): string {
    return readFileSync(join(this.data, 'state', 'admin-token'), 'utf8').trim()
  }

  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`${this.url}${path}`, { redirect: 'manual', ...init })
  }

  async api<T>(path: string, method = 'GET'): Promise<T> {
    const answer = await this.fetch(`/api${path}`, { method, headers: { authorization: `Bearer ${this.token}` } })
    assert.equal(answer.status, 200, `${method} ${path}: ${answer.status}`)
    return (await answer.json()) as T
  }

  /** Oldest first. */
  async builds(): Promise<readonly Build[]> {
    return (await this.api<Build[]>('/repos/ada/hello/builds?per_page=100')).toReversed()
  }

  /** All of them, once there are so many and none runs. */
  async ended(count: number): Promise<readonly Build[]> {
    let builds: readonly Build[] = []
    await until(
      async () => {
        builds = await this.builds()
        return builds.length >= count && builds.every(({ status }) => status !== 'running')
      },
      () => `${JSON.stringify(builds)}\n${this.output}`,
    )
    return builds
  }

  /** `COMMIT NAME` of each step, as often as it was begun. */
  get steps(): readonly string[] {
    return readFileSync(this.ran, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
  }
}

async function until(isSo: () => boolean | Promise<boolean>, told: () => string): Promise<void> {
  for (const end = Date.now() + PATIENCE; !(await isSo()); ) {
    if (Date.now() > end) assert.fail(told())
    await delay(50)
  }
}

test('a push is checked, and everybody who may sees what came of it', IN_TIME, async (t) => {
  const world = new World(t)
  await world.start()
  world.commit('before it was enabled')
  world.push('HEAD:main')
  assert.deepEqual(
    (await world.api<{ slug: string; active: boolean }[]>('/user/repos')).map(({ slug, active }) => [slug, active]),
    [['ada/hello', false]],
  )
  await world.api('/repos/ada/hello', 'POST')
  const red = world.commit('red', { unit: 'echo one; echo two', lint: 'exit 3' })
  world.push('HEAD:main')
  world.commit('not this one [skip ci]')
  world.push('HEAD:main')
  const green = world.commit('green')
  world.git(world.work, 'tag', '--annotate', '--message=one', 'v1.0.0')
  world.push('v1.0.0')
  assert.deepEqual(
    (await world.ended(2)).map(({ number, status, event, ref, after: commit, message }) => [
      number,
      status,
      event,
      ref,
      commit,
      message,
    ]),
    [
      [1, 'failure', 'push', 'refs/heads/main', red, 'red'],
      [2, 'success', 'tag', 'refs/tags/v1.0.0', green, 'green'],
    ],
  )
  const whole = await world.api<{
    stages: { error: string; steps: { name: string; status: string; exit_code: number }[] }[]
  }>('/repos/ada/hello/builds/1')
  assert.equal(whole.stages[0]?.error, 'step lint ended with exit code 3')
  assert.deepEqual(
    whole.stages[0]?.steps.map(({ name, status, exit_code: code }) => [name, status, code]),
    [
      ['unit', 'success', 0],
      ['lint', 'failure', 3],
    ],
  )
  assert.deepEqual(
    (await world.api<{ out: string }[]>('/repos/ada/hello/builds/1/logs/1/1')).map(({ out }) => out),
    ['one\n', 'two\n'],
  )
  await world.api('/repos/ada/hello', 'DELETE')
  world.commit('after it was disabled')
  world.push('HEAD:main')
  assert.equal(existsSync(join(world.bare, 'hooks', 'post-receive')), false)
  assert.equal(await world.kill('SIGTERM'), 0, world.output)
  await world.start()
  assert.equal((await world.ended(2)).length, 2)
})

test('what was pushed while no server ran, and what no hook has told, is checked when one runs', IN_TIME, async (t) => {
  const world = new World(t)
  await world.start()
  await world.api('/repos/ada/hello', 'POST')
  await world.kill('SIGKILL')
  world.commit('while it was down')
  world.push('HEAD:main')
  const hook = join(world.bare, 'hooks', 'post-receive')
  const text = readFileSync(hook)
  rmSync(hook)
  world.commit('without a hook')
  world.push('HEAD:other')
  writeFileSync(hook, text, { mode: 0o755 })
  await world.start()
  assert.deepEqual(
    (await world.ended(2)).map(({ ref, status, message }) => [ref, status, message]),
    [
      ['refs/heads/main', 'success', 'while it was down'],
      ['refs/heads/other', 'success', 'without a hook'],
    ],
  )
})

test('a server that is killed again and again loses no build, and begins no step twice', IN_TIME, async (t) => {
  const world = new World(t)
  await world.start()
  await world.api('/repos/ada/hello', 'POST')
  const commits: string[] = []
  for (let round = 0; round < 6; round += 1) {
    commits.push(world.commit(`round ${round}`, { one: 'sleep 0.3', two: 'sleep 0.3', three: 'true' }))
    world.push(`HEAD:branch-${round}`)
    // From right after the push until the build is about to end.
    await delay(round * 170)
    await world.kill('SIGKILL')
    await world.start()
  }
  const builds = await world.ended(commits.length)
  assert.deepEqual(
    builds.map(({ status, ref }) => [status, ref]),
    commits.map((_, round) => ['success', `refs/heads/branch-${round}`]),
  )
  assert.deepEqual(
    world.steps.toSorted(),
    commits.flatMap((commit) => ['one', 'two', 'three'].map((name) => `${commit} ${name}`)).sort(),
  )
})

test('a second server on the same folder is refused, and changes nothing', IN_TIME, async (t) => {
  const world = new World(t)
  await world.start()
  const args = [join(product, 'bin/pitlane.js'), 'serve', '--data', world.data, '--listen', '127.0.0.1:0']
  const second = spawnSync(process.execPath, args, { env: world.env, encoding: 'utf8', timeout: PATIENCE })
  assert.equal(second.status, 5)
  assert.match(second.stderr, /BUSY: `pitlane serve`/)
  await world.api('/user')
})

test('nobody gets anything without a token or a session, and a link to log in works once', IN_TIME, async (t) => {
  const world = new World(t)
  await world.start()
  await world.api('/repos/ada/hello', 'POST')
  world.commit('first')
  world.push('HEAD:main')
  await world.ended(1)
  const paths = [
    ['GET', '/api/user'],
    ['GET', '/api/user/repos'],
    ['GET', '/api/repos/ada/hello'],
    ['POST', '/api/repos/ada/hello'],
    ['DELETE', '/api/repos/ada/hello'],
    ['GET', '/api/repos/ada/hello/builds'],
    ['GET', '/api/repos/ada/hello/builds/latest'],
    ['GET', '/api/repos/ada/hello/builds/1'],
    ['GET', '/api/repos/ada/hello/builds/1/logs/1/1'],
    ['GET', '/'],
    ['GET', '/ada/hello'],
    ['GET', '/ada/hello/1'],
    ['GET', '/login'],
    ['GET', '/login?code=wrong'],
  ] as const
  const forged = ['', 'Bearer', `Bearer ${'0'.repeat(64)}`, 'Basic YTpi']
  for (const [method, path] of paths)
    for (const authorization of forged) {
      const cookie = `_session_=${Buffer.from('admin').toString('base64url')}.9999999999999.${'A'.repeat(43)}`
      const { status } = await world.fetch(path, { method, headers: { authorization, cookie } })
      assert.equal(status, 401, `${method} ${path}`)
    }
  assert.equal((await world.api<{ active: boolean }>('/repos/ada/hello')).active, true)
  const login = new URL(world.loginUrl)
  const first = await world.fetch(login.pathname + login.search)
  assert.equal(first.status, 303)
  const cookie = first.headers.get('set-cookie') ?? ''
  assert.match(cookie, /HttpOnly; SameSite=Lax/)
  assert.equal((await world.fetch(login.pathname + login.search)).status, 401)
  const page = await world.fetch('/ada/hello/1', { headers: { cookie: cookie.split(';')[0] ?? '' } })
  assert.equal(page.status, 200)
  assert.match(await page.text(), /success/)
  // What is secret is nobody else's to read.
  for (const path of ['state', 'incoming', 'state/admin-token', 'state/session-secret'])
    assert.equal(statSync(join(world.data, path)).mode & 0o077, 0, path)
})

test('hostile names, bodies and texts get a clear no, and reach no page as markup', IN_TIME, async (t) => {
  const world = new World(t)
  await world.start()
  await world.api('/repos/ada/hello', 'POST')
  world.commit('<script>alert(1)</script>', { unit: `printf '<img src=x> \\033[31mred'` })
  world.push('HEAD:main')
  await world.ended(1)
  const authorization = `Bearer ${world.token}`
  for (const path of [
    '/api/repos/ada/..%2f..%2fetc',
    '/api/repos/%2e%2e/hello',
    `/api/repos/ada/${'x'.repeat(5000)}`,
    '/api/repos/ada/hello/builds/0',
    '/api/repos/ada/hello/builds/1e9',
    '/api/repos/ada/hello/builds/99999999999999999999',
    '/api/repos/ada/hello/builds/1/logs/9/9',
    '/ada/hello/%00',
    '/nothing/here',
  ]) {
    const { status } = await world.fetch(path, { headers: { authorization } })
    assert.ok(status >= 400 && status < 500, `${path}: ${status}`)
  }
  const large = await world.fetch('/api/repos/ada/hello', {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: `{"a":"${'x'.repeat(2_000_000)}"}`,
  })
  assert.equal(large.status, 413)
  const page = await (await world.fetch('/ada/hello/1', { headers: { authorization } })).text()
  assert.ok(!page.includes('<script') && !page.includes('<img'), page)
  assert.match(page, /&lt;script>alert\(1\)/)
})

test('a pitlane.yaml that is wrong fails the push with its place, and the next one is checked', IN_TIME, async (t) => {
  const world = new World(t)
  await world.start()
  await world.api('/repos/ada/hello', 'POST')
  writeFileSync(join(world.work, 'pitlane.yaml'), 'name: [\n')
  world.git(world.work, 'add', '.')
  world.git(world.work, 'commit', '--quiet', '--message=wrong')
  world.push('HEAD:main')
  world.commit('right')
  world.push('HEAD:main')
  assert.deepEqual(
    (await world.ended(1)).map(({ message }) => message),
    ['right'],
  )
  const page = await world.fetch('/ada/hello', { headers: { authorization: `Bearer ${world.token}` } })
  assert.match(await page.text(), /pitlane\.yaml:2:1: not valid YAML/)
})
