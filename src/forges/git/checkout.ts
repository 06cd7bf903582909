/**
 * The files of a commit, as the commit records them. The objects are read and written by Pitlane itself and not by `git checkout` or `git archive`,
 * because those let configuration and attributes change the content: line endings (core.autocrlf, eol), smudge filters, ident, export-subst, export-ignore.
 * Under one commit id two machines would then build different sources. So a file kept in Git LFS is its pointer here, as it is in the commit.
 */
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  futimesSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  openSync,
} from 'node:fs'
import { readdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { PitlaneError, systemCode } from '../../errors.ts'
import type { ObjectReader } from './objects.ts'
import { parseCommit, parseTree } from './parse.ts'
import { shown } from './revision.ts'

/** What no honest repository reaches, and a crafted one (a tree that repeats itself) would exceed without end. */
const MAX_ENTRIES = 1_000_000
const MAX_BYTES = 64 * 2 ** 30
const MAX_COMMIT_BYTES = 2 ** 20
const MAX_TREE_BYTES = 2 ** 26
/** Bytes of a link's destination: Linux's own limit for a path. */
const MAX_LINK_BYTES = 4096
const SLASH = Buffer.from('/')

interface Item {
  readonly id: string
  readonly path: Buffer
  readonly mode: number
}

interface Content {
  readonly folders: readonly Buffer[]
  readonly files: readonly Item[]
  readonly links: readonly Item[]
}

/** Fills an absent or empty folder; on any failure nothing of it stays. */
export async function checkoutCommit(objects: ObjectReader, commit: string, folder: string): Promise<void> {
  let temporary: string | undefined
  try {
    mkdirSync(dirname(folder), { recursive: true })
    removeLeftovers(folder)
    temporary = mkdtempSync(`${folder}.tmp-`)
    await fill(objects, commit, temporary)
    renameSync(temporary, folder)
  } catch (error) {
    if (temporary !== undefined) rmSync(temporary, { recursive: true, force: true })
    if (error instanceof PitlaneError) throw error
    if (systemCode(error) === 'ENAMETOOLONG') throw tooLong(error)
    throw new PitlaneError('STORAGE_FAILED', `${folder}: checking out ${commit} failed: ${reason(error)}`, {
      hint: 'The folder has to be absent or empty, writable, and on a disk with space for the sources.',
      cause: error,
    })
  }
}

function tooLong(error: unknown): PitlaneError {
  const { path } = error as NodeJS.ErrnoException
  const name = shown(basename(path ?? ''))
  return new PitlaneError('SOURCE_UNFIT', `the commit holds a name that no file here can have: ${name}`, {
    hint: 'File systems take 255 bytes for a name, and 4096 for a whole path.',
    cause: error,
  })
}

/** One process fills a folder at a time: what a former one left was killed. */
function removeLeftovers(folder: string): void {
  const prefix = `${basename(folder)}.tmp-`
  for (const name of readdirSync(dirname(folder)))
    if (name.startsWith(prefix)) rmSync(join(dirname(folder), name), { recursive: true, force: true })
}

async function fill(objects: ObjectReader, commit: string, top: string): Promise<void> {
  objects.ask([commit])
  const head = await objects.head()
  if (typeof head === 'string' || head.type !== 'commit')
    throw new PitlaneError('GIT_FAILED', `the commit ${commit} is not in the repository`)
  const { tree, time } = parseCommit(commit, await objects.body(head, MAX_COMMIT_BYTES))
  const { folders, files, links } = await readTrees(objects, tree, Buffer.from(top))

  // Git records no modes of folders; made the same everywhere, whatever the umask, as the sources can end up in what is built.
  chmodSync(top, 0o755)
  for (const path of folders) {
    mkdirSync(path)
    chmodSync(path, 0o755)
  }
  objects.ask(files.map((file) => file.id))
  let left = MAX_BYTES
  for (const file of files) left -= await writeFile(objects, file, time, left)

  // Links come last: nothing is ever written through one.
  objects.ask(links.map((link) => link.id))
  for (const link of links) {
    symlinkSync(await readBlob(objects, link, MAX_LINK_BYTES), link.path)
    lutimesSync(link.path, time, time)
  }
  for (const path of [top, ...folders].toReversed()) utimesSync(path, time, time)
}

/** All entries below a tree, level by level, so that there are as many round trips as levels. */
async function readTrees(objects: ObjectReader, tree: string, top: Buffer): Promise<Content> {
  const folders: Buffer[] = []
  const files: Item[] = []
  const links: Item[] = []
  let level: Item[] = [{ id: tree, path: top, mode: 0o40000 }]
  while (level.length > 0) {
    const next: Item[] = []
    objects.ask(level.map((item) => item.id))
    for (const parent of level) {
      const head = await objects.head()
      if (typeof head === 'string' || head.type !== 'tree') throw missing(parent)
      const names = new Set<string>()
      for (const entry of parseTree(head.id, await objects.body(head, MAX_TREE_BYTES))) {
        const path = Buffer.concat([parent.path, SLASH, entry.name])
        const item = { id: entry.id, path, mode: Number.parseInt(entry.mode, 8) }
        checkName(entry.name, path.subarray(top.length + 1), names)
        if (entry.mode === '40000' || entry.mode === '040000') next.push(item)
        else if (entry.mode === '120000') links.push(item)
        else if (entry.mode.startsWith('100')) files.push(item)
        else throw unfitMode(entry.mode, path.subarray(top.length + 1))
      }
      if (folders.length + next.length + files.length + links.length > MAX_ENTRIES)
        throw new PitlaneError('SOURCE_UNFIT', `the commit holds more than ${MAX_ENTRIES} files and folders`)
    }
    for (const item of next) folders.push(item.path)
    level = next
  }
  return { folders, files, links }
}

/** A crafted tree can hold names that git itself refuses to create. */
function checkName(name: Buffer, path: Buffer, names: Set<string>): void {
  const text = name.toString('latin1')
  const hostile =
    text === '' ||
    text === '.' ||
    text === '..' ||
    text.includes('/') ||
    (text.length === 4 && text.toLowerCase() === '.git')
  const twice = names.size === names.add(text).size
  if (hostile || twice)
    throw new PitlaneError(
      'SOURCE_UNFIT',
      `the commit holds a file that may not be written: ${shown(path.toString())}`,
      {
        hint: 'No honest git makes such an entry: check where the commit comes from.',
      },
    )
}

function unfitMode(mode: string, path: Buffer): PitlaneError {
  const at = shown(path.toString())
  if (mode !== '160000') return new PitlaneError('SOURCE_UNFIT', `the commit holds ${at} with the unknown mode ${mode}`)
  return new PitlaneError('SOURCE_UNFIT', `the commit holds the submodule ${at}, whose files are not part of it`, {
    hint: 'Pitlane builds from one commit: bring the files into the repository (git subtree, vendoring), or fetch them in a step by a fixed id.',
  })
}

async function writeFile(objects: ObjectReader, file: Item, time: number, limit: number): Promise<number> {
  const head = await objects.head()
  if (typeof head === 'string' || head.type !== 'blob') throw missing(file)
  if (head.size > limit) throw new PitlaneError('SOURCE_UNFIT', `the commit's files have more than ${MAX_BYTES} bytes`)
  const fd = openSync(file.path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW)
  try {
    await objects.pump(head, (chunk) => {
      for (let offset = 0; offset < chunk.length; ) offset += writeSync(fd, chunk, offset)
    })
    fchmodSync(fd, (file.mode & 0o100) === 0 ? 0o644 : 0o755)
    futimesSync(fd, time, time)
  } finally {
    closeSync(fd)
  }
  return head.size
}

async function readBlob(objects: ObjectReader, item: Item, limit: number): Promise<Buffer> {
  const head = await objects.head()
  if (typeof head === 'string' || head.type !== 'blob') throw missing(item)
  return objects.body(head, limit)
}

function missing(item: Item): PitlaneError {
  return new PitlaneError(
    'GIT_FAILED',
    `the object ${item.id} of ${shown(item.path.toString())} is missing or damaged`,
    {
      hint: 'Fetch the commit again, or check the repository with: git fsck',
    },
  )
}

function reason(error: unknown): string {
  return systemCode(error) ?? (error instanceof Error ? error.message : String(error))
}
