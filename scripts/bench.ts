// `npm run bench -- NAME …`: measures the built product against its peers, `test/bench/NAME.bench.ts`. Without a name it lists them,
// `all` runs all of them. Ends well whatever the figures are: a machine that is busy is no defect.
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { basename } from 'node:path'

const names = globSync('test/bench/*.bench.ts')
  .map((file) => basename(file, '.bench.ts'))
  .sort()
const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => name !== 'all' && !names.includes(name))
if (wanted.length === 0 || unknown.length > 0) {
  if (unknown.length > 0) console.error(`no bench ${unknown.join(', ')}`)
  console.log(['npm run bench -- NAME, where NAME is one of', ...names.map((name) => `  ${name}`), '  all'].join('\n'))
  process.exit(unknown.length > 0 ? 2 : 0)
}
run('scripts/build.ts')
for (const name of wanted.includes('all') ? names : wanted) {
  console.log(`\n# ${name}`)
  run('--import', './scripts/jsx.ts', `test/bench/${name}.bench.ts`)
}

function run(...args: string[]): void {
  const { status } = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
    stdio: 'inherit',
  })
  if (status !== 0) process.exit(status ?? 1)
}
