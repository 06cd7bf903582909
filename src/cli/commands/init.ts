import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { PitlaneError } from '../../errors.ts'
import { INTERESTING_FILES, type RepositoryFiles } from '../../plan/ecosystems.ts'
import { guessConfiguration } from '../../plan/guess.ts'
import { guard, printJson } from '../command.ts'
import type { Context } from '../context.ts'

const READ_LIMIT = 1024 * 1024
/** Folders that hold a project's own sources are not deeper, and not that many. */
const DEPTH = 3
const FILES_LIMIT = 10_000
/** What other tools leave, large and telling nothing. */
const NOT_SOURCES = new Set(['node_modules', 'target', 'vendor', 'zig-out', 'zig-cache', 'out', 'dist', 'build'])

export async function init(this: Context, flags: { force: boolean; json: boolean }): Promise<void> {
  await guard(this, flags.json, async () => {
    const folder = await this.repositoryFolder()
    const file = join(folder, 'pitlane.yaml')
    if (existsSync(file) && !flags.force) {
      throw new PitlaneError('FILE_EXISTS', `${file} is there already`, { hint: 'Use --force to replace it.' })
    }
    const guess = guessConfiguration({ folder: basename(folder), files: filesIn(folder) })
    writeFileSync(file, guess.text)
    if (flags.json) return printJson(this, { file, kind: guess.kind, open: guess.open })
    this.process.stdout.write(`written: ${file} (${guess.kind})\n`)
    for (const question of guess.open) this.process.stdout.write(`  for you to decide: ${question}\n`)
    const ignore = guess.bucket === null ? '' : ` put ${guess.bucket}/ into .gitignore,`
    this.process.stdout.write(`next: look through it,${ignore} commit it, and run \`pitlane plan\`\n`)
  })
}

function filesIn(top: string): RepositoryFiles {
  const files = new Map<string, string | null>()
  const look = (folder: string, depth: number) => {
    for (const entry of readdirSync(join(top, folder), { withFileTypes: true })) {
      const { name } = entry
      if (files.size >= FILES_LIMIT || name.startsWith('.')) continue
      const path = folder === '' ? name : `${folder}/${name}`
      if (!entry.isDirectory()) files.set(path, isRead(path) ? readSmall(join(top, path)) : null)
      else if (depth < DEPTH && !NOT_SOURCES.has(name)) look(path, depth + 1)
    }
  }
  look('', 1)
  return files
}

/** Their content tells more than their name. */
function isRead(path: string): boolean {
  return INTERESTING_FILES.some((name) => name === path)
}

/** Null also for a link that leads nowhere. */
function readSmall(path: string): string | null {
  const facts = statSync(path, { throwIfNoEntry: false })
  return facts?.isFile() === true && facts.size <= READ_LIMIT ? readFileSync(path, 'utf8') : null
}
