/** Runs scenarios through the real command line. `UPDATE_GOLDEN=1` writes what happened instead of comparing. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, describe, test, type TestContext } from 'node:test'
import { FAST } from '../world/fast-folder.ts'
import { Normaliser } from './normaliser.ts'
import { published } from './published.ts'
import { formatTranscript, type Outcome, parseTranscript, type Transcript } from './transcript.ts'
import { type Place, Worlds } from './worlds.ts'

const UPDATE = process.env['UPDATE_GOLDEN'] === '1'
/** Milliseconds; a command that hangs must not hang the test run. */
const TIMEOUT = 90_000
/** Waiting for disks and clocks leaves processors idle. */
const AT_ONCE = 2

/** @param here folder that holds the folders of scenarios; `SCENARIO` chooses some by a part of their names */
export function playScenarios(here: string): void {
  const names = readdirSync(here, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(here, entry.name, 'transcript.txt')))
    .map((entry) => entry.name)
  const only = process.env['SCENARIO']
  const worlds = new Worlds()
  after(() => worlds.remove())

  describe('scenarios', { concurrency: AT_ONCE }, () => {
    for (const name of names) {
      if (only !== undefined && !name.includes(only)) continue
      test(name, (t) => scenario(t, join(here, name), worlds))
    }
  })
}

async function scenario(t: TestContext, folder: string, worlds: Worlds): Promise<void> {
  const source = readFileSync(join(folder, 'transcript.txt'), 'utf8')
  const transcript = parseTranscript(source)
  const missing = transcript.needs.find((thing) => !isOffered(thing))
  if (missing !== undefined) return t.skip(`this machine does not offer ${missing}`)
  const place = worlds.make(transcript.world)
  try {
    if (existsSync(join(folder, 'files'))) cpSync(join(folder, 'files'), place.project, { recursive: true })
    const normaliser = new Normaliser([
      [place.root, '/world'],
      [place.shared, '/shared'],
    ])
    const before = published(place.root)
    const outcomes = await play(transcript, place, normaliser)
    // Only what differs from the beginning: the world has its own releases.
    const now = published(place.root)
    const changes = [
      ...before.filter((path) => !now.includes(path)).map((path) => `- ${path}\n`),
      ...now.filter((path) => !before.includes(path)).map((path) => `${path}\n`),
    ]
    compare(join(folder, 'transcript.txt'), formatTranscript(transcript, outcomes))
    compare(join(folder, 'published.txt'), normaliser.clean(changes.join('')))
    for (const { stdout, stderr } of outcomes) {
      assert.doesNotMatch(
        stdout + stderr,
        /\n\s+at .+:\d+|INTERNAL|a defect in Pitlane\n|node:internal/,
        'a defect shows',
      )
    }
  } finally {
    rmSync(place.root, { recursive: true, force: true })
  }
}

async function play(transcript: Transcript, place: Place, normaliser: Normaliser): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (const { text } of transcript.commands) {
    const { stdout, stderr, code } = await shell(text, place)
    outcomes.push({ stdout: normaliser.clean(stdout), stderr: normaliser.clean(stderr), code })
  }
  return outcomes
}

function shell(text: string, place: Place): Promise<Outcome> {
  const script = `. "$SCENARIO_TOOLS/prelude.sh"\n${text}`
  // A group of its own: what hangs is often a child of the shell.
  const child = spawn('sh', ['-c', script], {
    cwd: place.project,
    env: place.env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const timer = setTimeout(() => process.kill(-(child.pid ?? 0), 'SIGKILL'), TIMEOUT)
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(timer)
      resolve({ stdout, stderr, code: code ?? 255 })
    })
  })
}

/** An absent file stands for an empty one. */
function compare(path: string, text: string): void {
  if (UPDATE) {
    if (text === '') rmSync(path, { force: true })
    else writeFileSync(path, text)
  }
  assert.equal(
    text,
    existsSync(path) ? readFileSync(path, 'utf8') : '',
    `${path}: read what differs; UPDATE_GOLDEN=1 accepts it`,
  )
}

function isOffered(thing: string): boolean {
  switch (thing) {
    case 'user namespaces':
      return spawnSync('unshare', ['-Urm', 'true']).status === 0
    case 'access times':
      return keepsAccessTimes()
    case 'bash':
      return spawnSync('bash', ['-c', 'true']).status === 0
    default:
      throw new Error(`no way is known to find out whether there is ${thing}`)
  }
}

/** Whether a file says that it was read since: where worlds are, and the first time. */
function keepsAccessTimes(): boolean {
  const folder = mkdtempSync(join(FAST, 'pitlane-times-'))
  try {
    const file = join(folder, 'file')
    writeFileSync(file, 'x')
    utimesSync(file, 0, 0)
    readFileSync(file)
    return statSync(file).atimeMs > 0
  } finally {
    rmSync(folder, { recursive: true })
  }
}
