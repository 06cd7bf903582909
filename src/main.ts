/** Composition: the only place that builds adapters. A command gets a context whose parts are built on first use. */
import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, realpathSync } from 'node:fs'
import { availableParallelism, hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { run } from '@stricli/core'
import { bootId, stopSignals, workingFolder } from './around.ts'
import { buildApp } from './cli/app.ts'
import type { Context, Project, RunningServer, ServeOptions, State, StateOptions } from './cli/context.ts'
import { errorDocument } from './cli/output.ts'
import type { StatusLine } from './cli/progress-text.ts'
import { statusLine } from './cli/status-line.ts'
import { type Clock, systemClock } from './clock.ts'
import { EXIT, PitlaneError, systemCode } from './errors.ts'
import type { Executor } from './executors/types.ts'
import { isS3Address, parseS3Address } from './buckets/address.ts'
import type { Bucket } from './buckets/types.ts'
import { isRegistryAddress, parseRegistryAddress } from './image/address.ts'
import type { Registry } from './image/types.ts'

/** What a test may replace: everything else is as in the product. */
export interface Overrides {
  readonly clock?: Clock
  /** Wraps ports after they are built. */
  readonly wrap?: {
    readonly state?: (state: State) => State
    readonly bucket?: (bucket: Bucket) => Bucket
    readonly registry?: (registry: Registry) => Registry
  }
}

export async function main(process: NodeJS.Process, overrides: Overrides = {}): Promise<void> {
  // A reader that closes the pipe early (`| head`) is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return
    process.stderr.write(`pitlane: STORAGE_FAILED: standard output could not be written: ${error.message}\n`)
    process.exit(EXIT.infrastructure)
  })
  const version = packageVersion()
  const context = makeContext(process, version, overrides)
  const app = buildApp(version, (error) => tellProgram(process, error))
  await run(app, process.argv.slice(2), context).finally(() => context.close())
  const parserCode = Number(process.exitCode ?? 0)
  // Negative codes are the argument parser's: a command line it does not understand.
  process.exitCode = parserCode < 0 ? EXIT.usage : parserCode !== 0 ? parserCode : context.exitCode
}

/** Who asks for JSON gets errors as such, also where no command was found that would print them. */
function tellProgram(process: NodeJS.Process, error: unknown): void {
  if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(errorDocument(error))}\n`)
}

function makeContext(process: NodeJS.Process, pitlaneVersion: string, overrides: Overrides): Context {
  const clock = overrides.clock ?? systemClock
  const { wrap } = overrides
  let signals: Context['stop'] | undefined
  // From when a command asks on: until then, and in commands that never ask, a signal ends the process as it does any other.
  const stop = () => (signals ??= stopSignals(process))
  let executor: Promise<Executor> | undefined
  const executorOnce = () =>
    (executor ??= stateModules().then(([{ ProcessExecutor }]) => new ProcessExecutor({ clock })))
  /** What lets go of things when the command has ended. */
  const closing: (() => void)[] = []
  /** Of all requests that are answered so, the first is told, and whichever has to wait longer. */
  const slowedUntil = new Map<string, number>()
  const onWait = (host: string, milliseconds: number) => {
    const until = clock.monotonic() + milliseconds
    if (until - (slowedUntil.get(host) ?? -Infinity) < SAME_WAIT) return
    slowedUntil.set(host, until)
    context.onSlowed(host, milliseconds)
  }
  let line: StatusLine | null | undefined
  const context: Context = {
    process,
    get cwd() {
      return workingFolder(process)
    },
    env: process.env,
    clock,
    pitlaneVersion,
    processors: availableParallelism(),
    machine: process.arch,
    get bootId() {
      return bootId()
    },
    get stop() {
      return stop()
    },
    exitCode: EXIT.ok,
    get statusLine() {
      return (line ??= statusLine(process))
    },
    onSlowed: (host, milliseconds) =>
      void process.stderr.write(`pitlane: ${host} asks to slow down: waiting ${(milliseconds / 1000).toFixed(1)} s\n`),
    close: () => {
      line?.hide()
      for (const close of closing) close()
    },

    async project() {
      const { findRepository } = await import('./forges/git/repository.ts')
      const repository = findRepository(workingFolder(process), 'pitlane.yaml')
      closing.push(() => repository.close())
      return { repository, folder: repository.root, file: 'pitlane.yaml' }
    },

    async repositoryFolder() {
      const { findRepository } = await import('./forges/git/repository.ts')
      return findRepository(workingFolder(process), null).root
    },

    async actor(project) {
      const { actorOf } = await import('./forges/git/actor.ts')
      return actorOf(project.folder)
    },

    canAsk: () => process.stdin.isTTY && process.stdout.isTTY,

    async ask(question) {
      const { createInterface } = await import('node:readline/promises')
      const terminal = createInterface({ input: process.stdin, output: process.stdout })
      try {
        const ended = new Promise<string>((end) => terminal.once('close', () => end('')))
        return /^y(es)?$/i.test((await Promise.race([terminal.question(`${question} [y/N] `), ended])).trim())
      } finally {
        terminal.close()
      }
    },

    async signer(project) {
      const { loadSigningKey } = await import('./release/keys/keys.ts')
      const { keyFiles } = await import('./release/keys/key-files.ts')
      const { createSigner } = await import('./release/keys/sign.ts')
      return createSigner((await loadSigningKey(project, process.env, keyFiles)).key)
    },

    // Its failure is met by whoever opens the state, or starts a step.
    loadState: () =>
      void executorOnce()
        .then((made) => made.isolation())
        .catch(() => undefined),

    isolation: async () => (await executorOnce()).isolation(),

    async openState(project, options) {
      const state = await openState(project, options, clock, stop().drain, await executorOnce())
      return wrap?.state ? wrap.state(state) : state
    },

    async bucket(location, base) {
      const bucket = isS3Address(location)
        ? await openS3Bucket(location, base, { clock, closing, onWait })
        : (await import('./buckets/folder/bucket.ts')).folderBucket(resolve(base, location), clock)
      return wrap?.bucket ? wrap.bucket(bucket) : bucket
    },

    server: (options) => startServer(options, { context, clock, executor: executorOnce }),

    async examineBucket(location, base, options) {
      if (!isS3Address(location))
        return (await import('./buckets/folder/examine.ts')).examineFolder(resolve(base, location), clock)
      const [{ address, client }, { examineS3 }] = await Promise.all([
        openS3Client(location, base, { clock, closing, onWait }),
        import('./buckets/s3/examine.ts'),
      ])
      return examineS3({ client, address, clock }, options)
    },

    async examineRegistry(location, repository) {
      const [{ address, session }, { examineRegistry }] = await Promise.all([
        openSession(location, 'self', { env: process.env, clock, closing, onWait }),
        import('./image/registry/examine.ts'),
      ])
      return examineRegistry(session, { address, repository })
    },

    async published(address) {
      const { httpReader } = await import('./buckets/http/reader.ts')
      return httpReader(address.replace(/\/+$/, ''), clock)
    },

    async registry(location, base, as = 'self') {
      const registry = isRegistryAddress(location)
        ? await openRegistry(location, as, { env: process.env, clock, closing, onWait })
        : (await import('./image/layout.ts')).layoutRegistry(resolve(base, location))
      return wrap?.registry ? wrap.registry(registry) : registry
    },
  }
  return context
}

/** Milliseconds by which two waits differ that are one to people. */
const SAME_WAIT = 500

type Closing = (() => void)[]

interface ServerParts {
  readonly clock: Clock
  readonly closing: Closing
  readonly onWait: (host: string, milliseconds: number) => void
}

async function openS3Client(location: string, base: string, { clock, closing, onWait }: ServerParts) {
  const { s3Client } = await import('./buckets/s3/client.ts')
  const address = parseS3Address(location)
  const ca = address.ca === null ? null : resolve(base, address.ca)
  const client = s3Client(address, { ca, clock, onWait })
  closing.push(() => client.destroy())
  return { address, client }
}

async function openS3Bucket(location: string, base: string, parts: ServerParts): Promise<Bucket> {
  const [{ address, client }, { s3Bucket }] = await Promise.all([
    openS3Client(location, base, parts),
    import('./buckets/s3/bucket.ts'),
  ])
  return s3Bucket({ address, client, clock: parts.clock, holder: `process ${process.pid} on ${hostname()}` })
}

interface SessionParts extends ServerParts {
  readonly env: NodeJS.ProcessEnv
}

async function openSession(location: string, as: 'self' | 'anybody', { env, clock, closing, onWait }: SessionParts) {
  const [{ httpSender }, { Session }, { findCredentials, lacksEntry }, { machineCredentials }] = await Promise.all([
    import('./image/registry/http.ts'),
    import('./image/registry/session.ts'),
    import('./image/registry/credentials.ts'),
    import('./image/registry/credential-sources.ts'),
  ])
  const address = parseRegistryAddress(location)
  const credentials = as === 'anybody' ? null : await findCredentials(address.host, machineCredentials(env))
  const unused = as === 'self' && lacksEntry(address.host, env)
  const sender = httpSender(null, { clock })
  closing.push(() => sender.close())
  return {
    address,
    session: new Session({ address, send: sender.send, clock, credentials, lacksEntry: unused, onWait }),
  }
}

async function openRegistry(location: string, as: 'self' | 'anybody', parts: SessionParts): Promise<Registry> {
  const [{ address, session }, { distributionRegistry }] = await Promise.all([
    openSession(location, as, parts),
    import('./image/registry/registry.ts'),
  ])
  return distributionRegistry(address, session)
}

const stateModules = () =>
  Promise.all([
    import('./executors/process/executor.ts'),
    import('./database/folder.ts'),
    import('./database/lock.ts'),
    import('./database/sqlite.ts'),
    import('./database/writer.ts'),
    import('./artifact/content.ts'),
    import('./release/lists/document-memory.ts'),
  ])

async function openState(
  project: Project,
  options: StateOptions,
  clock: Clock,
  signal: AbortSignal,
  executor: Executor,
): Promise<State> {
  const [
    ,
    { stateFolder, makeStateFolder },
    { acquireLock },
    { openSqlite },
    { takeOver },
    { contentStore },
    { documentMemory },
  ] = await stateModules()
  const folder = stateFolder(project.folder)
  makeStateFolder(folder)
  const lock = await acquireLock({ folder: folder.root, ...options, pid: process.pid, clock, signal })
  try {
    const forcing = { forced: true }
    const db = await openSqlite(folder.database, forcing)
    const writer = await takeOver(db, forcing)
    return {
      folder,
      writer,
      content: contentStore(folder.artifacts, clock),
      executor,
      memory: documentMemory(folder.documents, packageVersion()),
      // The lock says that there is no other, as long as this machine runs.
      owner: createHash('sha256')
        .update(`${bootId()}\n${hostname()}\n${realpathSync(folder.root)}`)
        .digest('hex')
        .slice(0, 32),
      async release() {
        try {
          await executor.close()
          await db.destroy()
        } finally {
          lock.release()
        }
      },
    }
  } catch (error) {
    lock.release()
    throw error
  }
}

/** A server, with the adapters of this version: SQLite, a folder of bare repositories, processes. */
async function startServer(
  { folder: where, host, port, jobs }: ServeOptions,
  {
    context,
    clock,
    executor: executorOnce,
  }: { readonly context: Context; readonly clock: Clock; readonly executor: () => Promise<Executor> },
): Promise<RunningServer> {
  const [{ makeServer }, { gitForge }, modules] = await Promise.all([
    import('./server/server.ts'),
    import('./forges/git/forge.ts'),
    stateModules(),
  ])
  const [, , { acquireLock }, { openSqlite }, { takeOver }, { contentStore }] = modules
  const folder = resolve(context.cwd, where)
  const [repositories, incoming, own] = [join(folder, 'git'), join(folder, 'incoming'), join(folder, 'state')]
  for (const path of [repositories, incoming, own]) mkdirSync(path, { recursive: true })
  // Nobody else's to read or to tell, whatever mode they had; who may push is decided by the repositories' own.
  for (const path of [incoming, own]) chmodSync(path, 0o700)
  const { stop } = context
  const onWait = () => undefined
  const holding = {
    folder: own,
    command: 'pitlane serve',
    wait: 0,
    onWait,
    pid: process.pid,
    clock,
    signal: stop.drain,
  }
  const lock = await acquireLock(holding)
  const forcing = { forced: true }
  const opened = await openSqlite(join(own, 'state.sqlite'), forcing).catch((error: unknown) => {
    lock.release()
    throw error
  })
  const executor = await executorOnce()
  const close = async () => {
    try {
      await executor.close()
      await opened.destroy()
    } finally {
      lock.release()
    }
  }
  try {
    const server = await makeServer({
      writer: await takeOver(opened, forcing),
      forge: gitForge(repositories, incoming),
      executor,
      clock,
      stop,
      folder: own,
      content: (artifacts) => contentStore(artifacts, clock),
      env: context.env,
      machine: context.machine,
      bootId: context.bootId,
      version: context.pitlaneVersion,
      jobs,
      onTrouble: onceEach((note) => process.stderr.write(`${new Date(clock.now()).toISOString()} ${note}\n`)),
    })
    const url = await server.http.listen({ host, port }).catch((error: unknown) => {
      throw new PitlaneError('BUSY', `cannot listen on ${host}:${port}: ${systemCode(error) ?? String(error)}`, {
        hint: 'Another program may listen there: name another place with --listen.',
        cause: error,
      })
    })
    const ended = server
      .run()
      .finally(() => server.http.close())
      .finally(close)
    return { url, folder, repositories, loginUrl: `${url}/login?code=${server.loginCode}`, token: server.token, ended }
  } catch (error) {
    await close()
    throw error
  }
}

/** The same note again and again is told once. */
function onceEach(tell: (note: string) => void): (note: string) => void {
  let last = ''
  return (note) => {
    if (note !== last) tell(note)
    last = note
  }
}

/** From package.json, two folders up from `dist/main.js` or one from `src/main.ts`. */
function packageVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
