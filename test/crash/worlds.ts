// Copies of one prepared world, where a run may die, and what is asked of each of them in the end.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join, relative } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import { FAST } from '../world/fast-folder.ts'
import { makeWorld } from '../world/toy.ts'

/** One target must be tested, the other one is where that can be done. Steps write down that they ran; some can be held. */
export const CONFIGURATION = `name: toy
checks:
  - name: format
    run: |
      echo begin format >>"$HOME/steps"
      test -f source.txt
      echo end format >>"$HOME/steps"
  - name: unit
    after: [format]
    run: |
      echo begin unit >>"$HOME/steps"
      sleep 0.1
      while test -e "$HOME/hold-unit"; do sleep 0.02; done
      grep -q toy source.txt
      echo end unit >>"$HOME/steps"
release:
  targets: [x86_64-unknown-linux-musl, i686-unknown-linux-musl]
  build:
    run: |
      echo "begin build $TARGET" >>"$HOME/steps"
      sh toycc.sh
      sleep 0.1
      echo "end build $TARGET" >>"$HOME/steps"
    binary: out/$TARGET/toy
  test:
    run: |
      echo "begin test $TARGET" >>"$HOME/steps"
      while test -e "$HOME/hold-test"; do sleep 0.02; done
      test "$("$BINARY")" = "hello from toy"
      echo "end test $TARGET" >>"$HOME/steps"
    targets: [x86_64-unknown-linux-musl]
  image:
    name: example/toy
    command: [/toy]
publish:
  bucket: ../bucket
  registry: ../images
  public: https://releases.example.org
`

export interface World {
  readonly root: string
  readonly project: string
  readonly bucket: string
  readonly images: string
  readonly env: Readonly<Record<string, string>>
}

/** The same with an image tag that moves on. */
export const FLOATING = CONFIGURATION.replace('name: example/toy', 'name: example/toy\n    floating: [latest]')

/** The world as it is before any release; in fast memory. */
export function freshWorld(configuration = CONFIGURATION): World {
  const made = makeWorld(configuration)
  try {
    return copyOf({ root: made.root, project: made.project, bucket: made.bucket, images: made.images, env: made.env })
  } finally {
    made.remove()
  }
}

/** The same world in another place: nothing in it may depend on where it is. */
export function copyOf(world: World): World {
  const root = mkdtempSync(join(FAST, 'pitlane-crash-'))
  cpSync(world.root, root, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true })
  const at = (path: string) => join(root, relative(world.root, path))
  return {
    root,
    project: at(world.project),
    bucket: at(world.bucket),
    images: at(world.images),
    env: { ...world.env, HOME: at(world.env['HOME'] ?? '') },
  }
}

/** Runs git in the world's repository. */
export function git(world: World, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('git', args, { cwd: world.project, env: world.env, encoding: 'utf8' })
  assert.equal(status, 0, `git ${args.join(' ')}: ${stderr}`)
  return stdout.trim()
}

export function removeWorld(world: World): void {
  rmSync(world.root, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
}

/** Path → SHA-256 of every object of the bucket and every file of the image layout. Unfinished uploads are no objects. */
export function published(world: World): Record<string, string> {
  const bucket = files(world.bucket).filter((path) => !path.startsWith('.pitlane-tmp/'))
  const images = files(world.images)
  const found = [...bucket.map((path) => ['bucket', path] as const), ...images.map((path) => ['images', path] as const)]
  return Object.fromEntries(
    found.map(([where, path]) => {
      const bytes = readFileSync(join(where === 'bucket' ? world.bucket : world.images, path))
      return [`${where}/${path}`, createHash('sha256').update(bytes).digest('hex')]
    }),
  )
}

function files(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort()
}

/** Every step began once and ended once, whoever started it and whoever waited for it. `steps`: what an undisturbed run left. */
export function assertStepsRanOnce(world: World, steps: readonly string[]): void {
  assert.deepEqual(stepLines(world).sort(), [...steps].sort())
}

/** Makes every `unit` or release test go on until the returned function is called. */
export function hold(world: World, step: 'unit' | 'test'): () => void {
  const file = join(world.env['HOME'] ?? '', `hold-${step}`)
  writeFileSync(file, '')
  return () => rmSync(file)
}

/** Resolves when a step has written down a line that matches. */
export async function untilStep(world: World, pattern: RegExp): Promise<void> {
  for (let tries = 0; tries < 2000; tries += 1) {
    if (stepLines(world).some((line) => pattern.test(line))) return
    await delay(10)
  }
  assert.fail(`no step says ${pattern}`)
}

export function stepLines(world: World): string[] {
  const file = join(world.env['HOME'] ?? '', 'steps')
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : []
}

/** The rows tell one story: one build of each kind, one promotion, one publication, everything of it confirmed. */
export function assertRowsAreWhole(world: World): void {
  const db = new DatabaseSync(join(world.project, '.pitlane', 'state.sqlite'), { readOnly: true })
  try {
    const all = (sql: string) =>
      db
        .prepare(sql)
        .all()
        .map((row) => Object.values(row).join(' '))
    assert.deepEqual(all('select kind, state from builds order by number'), ['checks succeeded', 'release succeeded'])
    assert.deepEqual(all('select version from promotions'), ['v1.0.0'])
    assert.deepEqual(all('select version, state from publications'), ['v1.0.0 published'])
    assert.deepEqual(all("select destination from operations where state != 'done'"), [])
    assert.deepEqual(all('pragma integrity_check'), ['ok'])
  } finally {
    db.close()
  }
}

/** How far a release has come, as its rows say. */
export function progressOf(world: World): string {
  const db = new DatabaseSync(join(world.project, '.pitlane', 'state.sqlite'), { readOnly: true })
  try {
    const tables = ['builds', 'stages', 'steps', 'layers', 'release_tests', 'publications']
    const rows = tables.map((table) => db.prepare(`select * from ${table}`).all())
    return JSON.stringify([rows, db.prepare('select position, state from operations').all()])
  } finally {
    db.close()
  }
}

/** What dead runs have left half done is gone from the state: checkouts, unfinished copies. */
export function assertNothingIsLeft(world: World): void {
  const state = join(world.project, '.pitlane')
  const left = files(state).filter((path) => /\/workspace\/|\/\.put-|\.partial$|\/binary\//.test(`/${path}`))
  assert.deepEqual(left, [])
}

/** No process has the world in its environment or as its place. What was told to end gets a moment. */
export async function assertNothingRuns(world: World): Promise<void> {
  let found: string[] = []
  for (let tries = 0; tries < 40; tries += 1) {
    found = processesOf(world)
    if (found.length === 0) return
    await delay(50)
  }
  assert.deepEqual(found, [])
}

/** Whether no process works in the world now. */
export function isQuiet(world: World): boolean {
  return processesOf(world).length === 0
}

function processesOf(world: World): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid) || pid === String(process.pid)) return false
    try {
      if (readlinkSync(`/proc/${pid}/cwd`).startsWith(world.root)) return true
      return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`PITLANE_STEP=${world.root}`)
    } catch {
      // Gone meanwhile, or somebody else's.
      return false
    }
  })
}
