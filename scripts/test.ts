// `npm test`: unit tests beside the code, contracts, scenarios and crash tests of releases; those of other commands (in `commands/`) come with
// `npm run conformance`, or when they are named. Arguments choose files by part of their path.
import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { runTests } from './run-tests.ts'

const all = ['src/**/*.test.{ts,tsx}', 'test/{contracts,scenarios,crash}/**/*.test.ts', 'scripts/**/*.test.ts'].flatMap(
  (pattern) => globSync(pattern),
)
const wanted = process.argv.slice(2)
const usual = all.filter((file) => !/^test\/(crash|scenarios)\/commands\//.test(file))
const files = wanted.length === 0 ? usual : all.filter((file) => wanted.some((part) => file.includes(part)))
if (files.length === 0) {
  console.error(`no test file matches ${wanted.join(' ')}`)
  process.exit(2)
}
// What takes longest begins first, so that no processor is left with nothing at the end.
const long = (file: string) => (file.startsWith('test/') ? 0 : 1)
files.sort((a, b) => long(a) - long(b) || (a < b ? -1 : 1))
const counts = await runTests(files, { timeout: 600_000, concurrency: availableParallelism() })
process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0
