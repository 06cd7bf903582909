// `npm run conformance`: Pitlane against the programs of others, and scenarios and crash tests of commands other than `release`. Installs those that are missing when it may, and says what was
// skipped for want of one. Arguments choose files by part of their path; `--no-skips` makes a skipped test a failure,
// `--no-install` leaves the machine as it is.
import { globSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { crane } from '../test/conformance/peers/crane.ts'
import { distribution } from '../test/conformance/peers/distribution.ts'
import { garage } from '../test/conformance/peers/garage.ts'
import { versitygw } from '../test/conformance/peers/versitygw.ts'
import { installPeers, missingPeers, searchPath } from './peers.ts'
import { runTests } from './run-tests.ts'

const { values, positionals } = parseArgs({
  options: { 'no-skips': { type: 'boolean', default: false }, 'no-install': { type: 'boolean', default: false } },
  allowPositionals: true,
})
const files = globSync('test/{conformance,crash/commands,scenarios/commands}/**/*.test.ts')
  .filter((file) => positionals.length === 0 || positionals.some((part) => file.includes(part)))
  .sort()
if (files.length === 0) {
  console.error(`no conformance test matches ${positionals.join(' ')}`)
  process.exit(2)
}

const started = performance.now()
const seconds = () => `${((performance.now() - started) / 1000).toFixed(0)} s`
const missing = missingPeers()
if (missing.length > 0 && !values['no-install']) {
  const packages = missing.flatMap((peer) => peer.package ?? [])
  if (packages.length > 0) console.log(`missing: ${packages.join(' ')}`)
  const trouble = installPeers(missing)
  if (trouble !== null) console.log(trouble)
  else if (packages.length > 0) console.log(`installed in ${seconds()}`)
}
const absent = missingPeers().map(({ proof }) => proof)
if (absent.length > 0) console.log(`not here, so what needs them is skipped: ${absent.join(', ')}`)

process.env['PATH'] = searchPath()
// Built from their sources once, which may take a quarter of an hour: before the tests, whose time is limited.
if (values['no-install']) process.env['PITLANE_PEERS'] = 'as-they-are'
for (const [name, peer] of Object.entries({ versitygw, distribution, crane, garage })) {
  if (!files.some((file) => readFileSync(file, 'utf8').includes(`/${name}.ts'`))) continue
  const found = peer()
  if ('absent' in found) console.log(`not here: ${found.absent}`)
}
// They compile, emulate and wait for browsers: two at once keep two processors busy, and more would only slow each other.
const counts = await runTests(files, { timeout: 300_000, concurrency: 2 })
console.log(`conformance took ${seconds()}`)
if (values['no-skips'] && counts.skipped > 0) console.error('--no-skips: a skipped test is a failure')
process.exitCode = counts.failed > 0 || counts.passed === 0 || (values['no-skips'] && counts.skipped > 0) ? 1 : 0
