import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { PitlaneError } from '../../errors.ts'
import { guessConfiguration } from '../../plan/guess.ts'
import { guard, printJson } from '../command.ts'
import type { Context } from '../context.ts'

/** Files whose content tells more than their name. */
const READ = ['Cargo.toml', 'go.mod', 'build.zig', 'package.json', 'Makefile']
const READ_LIMIT = 1024 * 1024

export async function init(this: Context, flags: { force: boolean; json: boolean }): Promise<void> {
  await guard(this, flags.json, async () => {
    const folder = await this.repositoryFolder()
    const file = join(folder, 'pitlane.yaml')
    if (existsSync(file) && !flags.force) {
      throw new PitlaneError('FILE_EXISTS', `${file} is there already`, { hint: 'Use --force to replace it.' })
    }
    const files = new Map<string, string | null>()
    for (const name of readdirSync(folder)) files.set(name, READ.includes(name) ? readSmall(join(folder, name)) : null)
    const guess = guessConfiguration({ folder: basename(folder), files })
    writeFileSync(file, guess.text)
    if (flags.json) return printJson(this, { file, kind: guess.kind, open: guess.open })
    this.process.stdout.write(`written: ${file} (${guess.kind})\n`)
    for (const question of guess.open) this.process.stdout.write(`  for you to decide: ${question}\n`)
    this.process.stdout.write('next: look through it, commit it, and run `pitlane plan`\n')
  })
}

function readSmall(path: string): string | null {
  const facts = statSync(path)
  return facts.isFile() && facts.size <= READ_LIMIT ? readFileSync(path, 'utf8') : null
}
