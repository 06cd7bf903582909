// Writes what is generated from the zod schemas: the JSON Schemas in schemas/ and docs/reference/pitlane-yaml.md.
// `--check` writes nothing and fails when a file is not what the schemas say.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { z } from 'zod'
import { PitlaneFile } from '../src/plan/dialects/pitlane/schema.ts'
import { ReleaseDocument } from '../src/release/document.ts'
import { StateDocument } from '../src/release/states/state-document.ts'
import { reference } from './schema-reference.ts'

const pitlane = z.toJSONSchema(PitlaneFile, { io: 'input' })
const release = z.toJSONSchema(ReleaseDocument)
const state = z.toJSONSchema(StateDocument)
const files = {
  'schemas/pitlane.schema.json': `${JSON.stringify(pitlane, null, 2)}\n`,
  'schemas/release.schema.json': `${JSON.stringify({ title: 'release.json', ...release }, null, 2)}\n`,
  'schemas/state.schema.json': `${JSON.stringify({ title: 'state-<revision>.json', ...state }, null, 2)}\n`,
  'docs/reference/pitlane-yaml.md': reference(pitlane),
}

const check = process.argv.includes('--check')
for (const [file, text] of Object.entries(files)) {
  if (current(file) === text) continue
  if (check) {
    console.error(`${file} is not what the schemas say; run: node scripts/schemas.ts`)
    process.exitCode = 1
  } else {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
    console.log(`${file} written`)
  }
}

function current(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}
