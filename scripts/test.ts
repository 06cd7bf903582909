// `npm test`: unit tests beside the code, contracts, scenarios and crash tests. Arguments choose files by part of their path.
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'

const all = ['src/**/*.test.{ts,tsx}', 'test/{contracts,scenarios,crash}/**/*.test.ts', 'scripts/**/*.test.ts'].flatMap(
  (pattern) => globSync(pattern),
)
const wanted = process.argv.slice(2)
const files = wanted.length === 0 ? all : all.filter((file) => wanted.some((part) => file.includes(part)))
if (files.length === 0) {
  console.error(`no test file matches ${wanted.join(' ')}`)
  process.exit(2)
}
const run = spawnSync(
  process.execPath,
  [
    '--disable-warning=ExperimentalWarning',
    '--import',
    './scripts/jsx.ts',
    '--test',
    '--test-timeout=230000',
    ...files.sort(),
  ],
  { stdio: 'inherit' },
)
process.exit(run.status ?? 1)
