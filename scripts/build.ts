// `npm run build`: bundles `src/main.ts` with everything it needs into `dist/`, one small entry and a chunk for each thing loaded
// later. The same sources give the same bytes. `--entry FILE` and `--out FOLDER` choose others.
import { createRequire } from 'node:module'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { rolldown } from 'rolldown'
import { LEAN_HTTP, leanHttp } from './lean-http.ts'
import { licensesOf } from './licenses.ts'

const FATAL = new Set(['UNRESOLVED_IMPORT', 'MISSING_EXPORT', 'IMPORT_IS_UNDEFINED'])

const { values } = parseArgs({
  options: {
    entry: { type: 'string', default: 'src/main.ts' },
    out: { type: 'string', default: 'dist' },
  },
})
const out = resolve(values.out)
if (existsSync(join(out, 'package.json')) || existsSync(join(out, '.git')))
  throw new Error(`${out} is a project, not a folder to be emptied and built into`)

const bundle = await rolldown({
  input: { main: resolve(values.entry) },
  platform: 'node',
  plugins: [leanHttp],
  // Its ES modules: only what is used is bundled, and nothing of it is wrapped as for `require`.
  resolve: { alias: { yaml: fileURLToPath(new URL('browser/index.js', import.meta.resolve('yaml/package.json'))) } },
  // JSX is compiled as tsconfig.json says.
  transform: { target: 'node24' },
  onLog(level, log) {
    // A name that isn't found is only a warning to a bundler, and breaks later, at somebody else's place.
    if (FATAL.has(log.code ?? '')) throw new Error(log.message)
    if (level === 'warn') console.error(log.message)
  },
})
// Emptied first: a chunk of a former build must not be packed.
rmSync(out, { recursive: true, force: true })
const { output } = await bundle.write({
  dir: out,
  format: 'esm',
  // Readable stack traces; with the compile cache, minified code starts no faster (measured).
  minify: false,
  entryFileNames: '[name].js',
  chunkFileNames: 'chunks/[name]-[hash].js',
})
await bundle.close()

const chunks = output.filter((file) => file.type === 'chunk')
const modules = chunks.flatMap((chunk) => chunk.moduleIds)
// Module ids with a NUL are the bundler's own glue, which it copies into the output.
const glue = modules.some((id) => id.includes('\0') && id !== LEAN_HTTP)
  ? [createRequire(import.meta.url).resolve('rolldown')]
  : []
const files = modules.filter((id) => !id.includes('\0'))
writeFileSync(join(out, 'THIRD-PARTY-LICENSES.txt'), licensesOf([...files, ...glue]))

const bytes = chunks.reduce((sum, chunk) => sum + Buffer.byteLength(chunk.code), 0)
console.log(`${values.out}: ${chunks.length} files, ${Math.round(bytes / 1024)} KiB from ${files.length} modules`)
