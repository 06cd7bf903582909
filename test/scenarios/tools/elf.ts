// elf NAME FILE: writes a made-up executable.
import { writeFileSync } from 'node:fs'
import { buildElf, type ElfRecipe } from '../../../src/artifact/fixtures/elf-builder.ts'

const AMD64 = 'x86_64-unknown-linux-musl'
const ARM = 'armv6l-unknown-linux-musleabihf'
const recipes: Record<string, ElfRecipe> = {
  good: { triple: AMD64, text: 'hello from toy\n' },
  other: { triple: AMD64, text: 'hello from toy\n', payload: Buffer.from('other bytes') },
  dynamic: { triple: AMD64, interpreter: '/lib64/ld-linux-x86-64.so.2', needed: ['libc.so.6'] },
  i686: { triple: 'i686-unknown-linux-musl', text: 'hello from toy\n' },
  armv6: { triple: ARM },
  armv7: { triple: ARM, armArch: 10 },
  'arm-unknown': { triple: ARM, armArch: null },
}

const [name = '', file = ''] = process.argv.slice(2)
const recipe = recipes[name === 'truncated' ? 'good' : name]
if (recipe === undefined) throw new Error(`no recipe ${name}; there are ${Object.keys(recipes).join(', ')}`)
const bytes = buildElf(recipe)
writeFileSync(file, name === 'truncated' ? bytes.subarray(0, 100) : bytes, { mode: 0o755 })
