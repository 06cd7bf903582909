/**
 * A git repository on this machine, read through the `git` command line. Each method starts one git process (an error path more) or uses the
 * one that reads objects again; nothing is held up by it, and the repository is never written to.
 */
import { existsSync, realpathSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { PitlaneError, systemCode } from '../../errors.ts'
import type { Source } from '../../plan/plan.ts'
import type { Repository } from '../types.ts'
import { checkoutCommit } from './checkout.ts'
import { readFileAt } from './file.ts'
import { startGit } from './git.ts'
import { type ObjectReader, ObjectReaders } from './objects.ts'
import { isFullId, refNameFault } from './revision.ts'
import { resolveSource } from './source.ts'
import { listTags, type Tag } from './tags.ts'

/**
 * The repository around a folder: the next folder upwards that has `.git` (a folder, or a file as in a linked working tree).
 * `needs` names a file that has to stand at its top (`pitlane.yaml`); null asks for none, as `pitlane init` does.
 * @throws PitlaneError `NOT_A_REPOSITORY`
 */
export function findRepository(cwd: string, needs: string | null): Repository {
  const start = realFolder(cwd)
  let between: string | null = null
  for (let at = start; ; at = dirname(at)) {
    if (existsSync(join(at, '.git'))) {
      if (needs !== null && !existsSync(join(at, needs))) throw fileMissing(at, needs, between)
      return new GitRepository(at)
    }
    if (needs !== null && between === null && existsSync(join(at, needs))) between = at
    if (dirname(at) === at) break
  }
  if (isBare(start)) {
    throw new PitlaneError('NOT_A_REPOSITORY', `${start} is a bare repository: it has no working tree`, {
      hint: `Clone it, and go into the clone: git clone '${start}'`,
    })
  }
  const found = between === null ? '' : `, though ${join(between, needs ?? '')} is there`
  throw new PitlaneError(
    'NOT_A_REPOSITORY',
    `${start}: neither this folder nor one above it is a git repository${found}`,
    {
      hint: 'Go into the working tree of the project, or begin one with: git init',
    },
  )
}

/** A repository without a working tree, whose folder it is. */
export function bareRepository(folder: string): Repository {
  return new GitRepository(folder)
}

/** By what gitrepository-layout(5) says has to be there. */
export function isBare(folder: string): boolean {
  return ['HEAD', 'objects', 'refs'].every((name) => existsSync(join(folder, name)))
}

function fileMissing(top: string, needs: string, between: string | null): PitlaneError {
  if (between !== null)
    return new PitlaneError('NOT_A_REPOSITORY', `${join(between, needs)} is not at the top of its repository, ${top}`, {
      hint: `Move it there: git -C '${top}' mv '${join(between, needs).slice(top.length + 1)}' ${needs}`,
    })
  return new PitlaneError('NOT_A_REPOSITORY', `${top}: this git repository has no ${needs}`, {
    hint: 'Write one with: pitlane init',
  })
}

function realFolder(cwd: string): string {
  try {
    const real = realpathSync(cwd)
    return statSync(real).isDirectory() ? real : dirname(real)
  } catch (error) {
    throw new PitlaneError('NOT_A_REPOSITORY', `${cwd}: cannot be entered: ${systemCode(error)}`, {
      hint: 'Go into a folder that is there and that you may enter.',
      cause: error,
    })
  }
}

class GitRepository implements Repository {
  readonly root: string

  readonly #readers: ObjectReaders
  readonly #reader: () => ObjectReader

  constructor(root: string) {
    this.root = root
    this.#readers = new ObjectReaders(root)
    this.#reader = () => this.#readers.lend()
  }

  close(): void {
    this.#readers.close()
  }

  source(revision: string): Promise<Source> {
    return resolveSource(this.root, this.#reader, revision)
  }

  async file(commit: string, path: string, limit: number): Promise<Buffer | null> {
    checkId(commit)
    using objects = this.#reader()
    return await readFileAt(objects, commit, path, limit)
  }

  async tagCommit(tag: string): Promise<string | null> {
    // What git can't hold as a name is definitely not there.
    if (refNameFault(tag) !== null) return null
    const tags = await listTags(this.root, this.#reader, tag)
    return tags[0]?.commit ?? null
  }

  tags(): Promise<readonly Tag[]> {
    return listTags(this.root, this.#reader)
  }

  async changes(limit: number): Promise<readonly string[]> {
    const args = [
      'status',
      '--porcelain=v1',
      '-z',
      '--no-renames',
      '--untracked-files=normal',
      '--ignore-submodules=none',
    ]
    const { child, ended } = startGit(this.root, args)
    child.stdin.end()
    const paths: string[] = []
    let rest: Buffer = Buffer.alloc(0)
    for await (const chunk of child.stdout) {
      rest = Buffer.concat([rest, chunk as Buffer])
      for (let end = rest.indexOf(0); end !== -1; end = rest.indexOf(0)) {
        // Two letters of state and a space come before the path.
        if (paths.length < limit) paths.push(rest.subarray(3, end).toString())
        rest = rest.subarray(end + 1)
      }
      if (paths.length < limit) continue
      child.kill('SIGKILL')
      return paths
    }
    await ended
    return paths
  }

  async checkout(commit: string, folder: string): Promise<void> {
    checkId(commit)
    using objects = this.#reader()
    await checkoutCommit(objects, commit, folder)
  }
}

function checkId(commit: string): void {
  if (!isFullId(commit)) throw new PitlaneError('INTERNAL', `not a full commit id: ${commit}`)
}
