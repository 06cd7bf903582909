/** A git repository of its own for one test, and what contracts of repositories say about it. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { FAST } from '../world/fast-folder.ts'
import type { TestContext } from 'node:test'
import { PitlaneError } from '../../src/errors.ts'
import type { Repository } from '../../src/forges/types.ts'

/** Committer time of the first commit; each commit and tag comes a minute after the one before. */
export const EPOCH = 1_700_000_000

/** A git repository of its own: fixed people and dates, and nothing of this machine's or user's configuration. */
export class World {
  readonly home: string
  readonly root: string
  #time = EPOCH

  constructor(t: TestContext, init: readonly string[] = []) {
    this.home = fs.realpathSync(fs.mkdtempSync(join(FAST, 'pitlane-world-')))
    t.after(() => fs.rmSync(this.home, { recursive: true, force: true }))
    this.root = join(this.home, 'project')
    fs.mkdirSync(this.root)
    this.git('init', '--quiet', '--initial-branch=main', ...init)
  }

  git(...args: string[]): string {
    return this.gitWith('', ...args)
  }

  gitWith(input: string | Buffer, ...args: string[]): string {
    const date = `${this.#time} +0000`
    const env = {
      PATH: process.env['PATH'] ?? '',
      HOME: this.home,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_AUTHOR_NAME: 'Ada',
      GIT_AUTHOR_EMAIL: 'ada@example.org',
      GIT_AUTHOR_DATE: date,
      GIT_COMMITTER_NAME: 'Ada',
      GIT_COMMITTER_EMAIL: 'ada@example.org',
      GIT_COMMITTER_DATE: date,
    }
    return execFileSync('git', args, { cwd: this.root, env, input, stdio: ['pipe', 'pipe', 'pipe'] })
      .toString()
      .trim()
  }

  /** Writes files and commits them; returns the commit's id. */
  commit(message: string, files: Readonly<Record<string, string | Buffer>> = { file: message }): string {
    for (const [path, content] of Object.entries(files)) {
      fs.mkdirSync(join(this.root, path, '..'), { recursive: true })
      fs.writeFileSync(join(this.root, path), content)
    }
    this.git('add', '--all')
    this.git('commit', '--quiet', '--allow-empty', '--message', message)
    this.#time += 60
    return this.git('rev-parse', 'HEAD')
  }

  /** Stores an object as it is, however wrong, and returns its id. */
  object(type: string, content: Buffer | string): string {
    return this.gitWith(content, 'hash-object', '-w', '--literally', '-t', type, '--stdin')
  }

  /** A commit of a tree made by hand. */
  commitOf(tree: string): string {
    return this.git('commit-tree', '-m', 'by hand', tree)
  }

  tree(...entries: readonly { mode: string; name: string; id: string }[]): string {
    const parts = entries.flatMap(({ mode, name, id }) => [Buffer.from(`${mode} ${name}\0`), Buffer.from(id, 'hex')])
    return this.object('tree', Buffer.concat(parts))
  }
}

export function refused(code: string, ...parts: (string | RegExp)[]): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof PitlaneError, String(error))
    const text = `${error.message}\n${error.hint ?? ''}`
    assert.equal(error.code, code, text)
    for (const part of parts)
      assert.ok(typeof part === 'string' ? text.includes(part) : part.test(text), `${text} lacks ${part}`)
    return true
  }
}

/** Path, type, mode and content of everything below a folder. */
export function snapshot(folder: string): string[] {
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true, encoding: 'utf8' })
    .map((entry) => {
      const path = join(entry.parentPath, entry.name)
      const name = path.slice(folder.length + 1)
      if (entry.isSymbolicLink()) return `${name} -> ${fs.readlinkSync(path)}`
      const mode = (fs.statSync(path).mode & 0o7777).toString(8)
      return entry.isDirectory() ? `${name}/ ${mode}` : `${name} ${mode} ${fs.readFileSync(path, 'latin1')}`
    })
    .sort()
}

export type Check = (
  what: string,
  body: (repository: Repository, world: World) => Promise<void>,
  init?: readonly string[],
) => void
