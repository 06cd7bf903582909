/**
 * A forge that is a folder of bare repositories, `OWNER/NAME.git`. Its hook tells of a push by a file: that needs no server that runs, no program but
 * a shell, and no secret; what was pushed while the server was down is there when it comes back.
 */
import { chmod, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { watch } from 'node:fs'
import { join } from 'node:path'
import { PitlaneError, systemCode } from '../../errors.ts'
import type { Forge, Head, Repository, Told } from '../types.ts'
import { runGit } from './git.ts'
import { bareRepository, isBare } from './repository.ts'
import { refNameFault } from './revision.ts'

/** Bytes of what one push tells: some ten thousand refs. */
const TOLD_LIMIT = 1024 * 1024
const HEADS_LIMIT = 64 * 1024 * 1024
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/
const LINE = /^([0-9a-f]{40}|[0-9a-f]{64}) (refs\/(?:heads|tags)\/.+)$/

/**
 * @param folder absolute; holds the repositories
 * @param incoming absolute; where hooks write, private to the user that the server and git run as
 */
export function gitForge(folder: string, incoming: string): Forge {
  return new GitForge(folder, incoming)
}

class GitForge implements Forge {
  readonly #folder: string
  readonly #incoming: string

  constructor(folder: string, incoming: string) {
    this.#folder = folder
    this.#incoming = incoming
  }

  async names(): Promise<readonly string[]> {
    const names: string[] = []
    for (const owner of await namesIn(this.#folder))
      for (const entry of await namesIn(join(this.#folder, owner))) {
        const name = `${owner}/${entry.replace(/\.git$/, '')}`
        if (entry.endsWith('.git') && isName(name) && isBare(join(this.#folder, owner, entry))) names.push(name)
      }
    return names.sort()
  }

  open(name: string): Repository {
    return bareRepository(this.#path(name))
  }

  async heads(name: string): Promise<readonly Head[]> {
    const format = '%(refname)%00%(objecttype)%00%(objectname)%00%(*objecttype)%00%(*objectname)'
    const output = await runGit(
      this.#path(name),
      ['for-each-ref', `--format=${format}`, 'refs/heads', 'refs/tags'],
      HEADS_LIMIT,
    )
    return output
      .toString()
      .split('\n')
      .flatMap((line): Head[] => {
        const [ref = '', type, id, tagged, taggedId] = line.split('\0')
        const commit = type === 'commit' ? id : tagged === 'commit' ? taggedId : undefined
        return commit === undefined ? [] : [{ ref, commit }]
      })
  }

  async enable(name: string): Promise<void> {
    await mkdir(this.#incoming, { recursive: true, mode: 0o700 })
    const hook = this.#hook(name)
    const there = await readFile(hook, 'utf8').catch((error: unknown) => absent(error))
    if (there !== null && !there.includes(MARK))
      throw new PitlaneError('FILE_EXISTS', `${hook} is a hook of somebody else`, {
        hint: 'Call it from another hook of your own, or move it away; then enable the repository again.',
      })
    await writeFile(`${hook}.new`, hookText(name, this.#incoming))
    await chmod(`${hook}.new`, 0o755)
    await rename(`${hook}.new`, hook)
  }

  async disable(name: string): Promise<void> {
    const hook = this.#hook(name)
    const there = await readFile(hook, 'utf8').catch((error: unknown) => absent(error))
    if (there?.includes(MARK) === true) await rm(hook)
  }

  async told(onUnread: (note: string) => void): Promise<readonly Told[]> {
    const all: { readonly at: number; readonly told: Told }[] = []
    for (const file of (await namesIn(this.#incoming)).filter((name) => name.endsWith('.told'))) {
      const path = join(this.#incoming, file)
      try {
        const { size, mtimeMs } = await stat(path)
        const told = size > TOLD_LIMIT ? null : parseTold(file, await readFile(path, 'utf8'))
        if (told !== null) {
          all.push({ at: mtimeMs, told })
          continue
        }
        await rename(path, `${path}.unread`)
        onUnread(`${path} does not say what was pushed: it is put aside as ${file}.unread`)
      } catch (error) {
        if (systemCode(error) !== 'ENOENT') throw error
      }
    }
    return all.sort((a, b) => a.at - b.at || (a.told.delivery < b.told.delivery ? -1 : 1)).map(({ told }) => told)
  }

  async confirm(told: Told): Promise<void> {
    await rm(join(this.#incoming, told.delivery), { force: true })
  }

  watch(onTold: () => void): () => void {
    const watcher = watch(this.#incoming, { persistent: false }, onTold)
    // What is not told so is found by the next look.
    watcher.on('error', () => undefined)
    return () => watcher.close()
  }

  #path(name: string): string {
    const path = join(this.#folder, `${name}.git`)
    if (isName(name) && isBare(path)) return path
    throw new PitlaneError('NOT_FOUND', `there is no repository ${name}`, {
      hint: `Make it with: git init --bare '${this.#folder}/OWNER/NAME.git'`,
    })
  }

  #hook(name: string): string {
    return join(this.#path(name), 'hooks', 'post-receive')
  }
}

const MARK = '# Written by Pitlane'

/** What it tells is whole before it has the name that is read. */
function hookText(name: string, incoming: string): string {
  return `#!/bin/sh
${MARK}: tells the server what was pushed.
set -eu
told=$(mktemp '${incoming.replaceAll("'", `'\\''`)}/push-XXXXXXXXXX')
{
  printf '%s\\n%s\\n' '${name}' "\${REMOTE_USER:-$(id -un)}"
  while read -r _ new ref; do
    # A tag may be an object of its own; what is gone, or is no commit, is nothing to check.
    if commit=$(git rev-parse --quiet --verify "$new^{commit}"); then printf '%s %s\\n' "$commit" "$ref"; fi
  done
} > "$told"
mv "$told" "$told.told"
`
}

function parseTold(file: string, text: string): Told | null {
  const [repository = '', actor = '', ...lines] = text.split('\n')
  if (!isName(repository)) return null
  const heads = lines
    .filter((line) => line !== '')
    .map((line): Head | null => {
      const [, commit = '', ref = ''] = LINE.exec(line) ?? []
      return commit === '' || refNameFault(ref) !== null ? null : { ref, commit }
    })
  // A push may name refs of other kinds, which nobody checks.
  const known = heads.filter((head) => head !== null)
  return { repository, delivery: file, actor: actor.slice(0, 200) || 'unknown', heads: known }
}

function isName(name: string): boolean {
  const parts = name.split('/')
  return parts.length === 2 && parts.every((part) => NAME.test(part) && !part.endsWith('.git'))
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return (await readdir(folder).catch((error: unknown) => absent(error))) ?? []
}

/** Null for what is definitely not there. */
function absent(error: unknown): null {
  if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return null
  throw error
}
