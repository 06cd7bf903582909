// `kill -9` of `adopt` and `retention apply` at requests to an S3 server and a registry, and at changes of the journal; then the same command
// again, on the same machine or on one that has nothing. Readers look in between. All points with PITLANE_CRASH_POINTS=all, else some of them.
import assert from 'node:assert/strict'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { parseS3Address } from '../../src/buckets/address.ts'
import { s3Bucket } from '../../src/buckets/s3/bucket.ts'
import { s3Client } from '../../src/buckets/s3/client.ts'
import { systemClock } from '../../src/clock.ts'
import { KEYS } from '../../src/plan/keys.ts'
import { bodyOf } from '../../src/release/digest.ts'
import { type Command, type Kept, Killing } from './killing.ts'
import { distribution } from './peers/distribution.ts'
import { versitygw } from './peers/versitygw.ts'

const DAY = 86_400_000
const NOW = Date.now()
const X86 = 'x86_64-unknown-linux-musl'
const OLD = ['v0.8.0', 'v0.9.0', 'v1.1.0']
/** Points that are tried; a prime step goes through all kinds of requests. */
const STEP = process.env['PITLANE_CRASH_POINTS'] === 'all' ? 1 : 31
/** What holds the serial of the lists: where nobody remembers which one was signed already, the next one is taken. */
const NUMBERED = /^_releases\.html$|^_releases\/index\.json/

const s3Program = versitygw()
const registryProgram = distribution()
const skip = 'absent' in s3Program ? s3Program.absent : 'absent' in registryProgram ? registryProgram.absent : false

let on: Killing
/** One release of Pitlane's. */
let released: Kept

before(async () => {
  if ('absent' in s3Program || 'absent' in registryProgram) return
  on = await Killing.open(s3Program.program, registryProgram.program)
  await on.done({ args: ['release', 'v1.0.0'], now: NOW })
  released = on.keep()
})

after(async () => {
  if (skip === false) await on.stop()
})

function withoutSerial(all: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(all).filter(([name]) => !NUMBERED.test(name)))
}

async function diesAnywhere(from: Kept, command: Command, least: number): Promise<void> {
  on.restore(from)
  const { requests, writes } = await on.wholeRun(command)
  const goal = await on.published()
  assert.deepEqual(await on.holes(), [])
  assert.ok(requests.length >= least, `only ${requests.length} requests: the gates are not where they should be`)
  const kills = [
    ...(['before', 'after'] as const).flatMap((when) =>
      requests.flatMap((asked, index) => {
        const nth = index + 1
        const at = `killed ${when} request ${nth} (${asked})`
        const isTried = (nth + (when === 'before' ? 0 : STEP >> 1)) % STEP === 0
        return isTried ? [{ at, kill: { request: { pick: (n: number) => n === nth, when } } }] : []
      }),
    ),
    ...Array.from({ length: writes }, (_, index) => index + 1).flatMap((nth) =>
      ['uncommitted', 'after'].flatMap((when, place) =>
        (nth + place * (STEP >> 1)) % STEP === 0 || STEP === 1
          ? [{ at: `killed at write ${nth} ${when}`, kill: { journal: `write #${nth} ${when}` } }]
          : [],
      ),
    ),
  ]
  for (const [place, { at: point, kill }] of kills.entries()) {
    const isElsewhere = place % 2 === 1
    const at = `${point}, gone on ${isElsewhere ? 'on a machine with nothing' : 'here'}`
    on.restore(from)
    const killed = await on.run(command, { kill })
    assert.equal(killed.signal, 'SIGKILL', `${at}: ${killed.output}`)
    assert.deepEqual(await on.holes(), [], at)
    if (isElsewhere) {
      await on.dropLeases()
      const clone = on.elsewhere()
      await on.done(command, clone.project)
      clone.remove()
    } else await on.done(command)
    const found = await on.published()
    const wanted = isElsewhere ? withoutSerial : (all: typeof goal) => all
    assert.deepEqual(wanted(found), wanted(goal), at)
    assert.deepEqual(await on.holes(), [], at)
  }
  console.log(`${command.args.join(' ')}: ${kills.length} points of ${2 * (requests.length + writes)}`)
}

const LONG = { skip, timeout: 3_600_000 }

test('adopt, also with digests', LONG, async () => {
  on.restore(released)
  const { accessKey: accessKeyId, secretKey: secretAccessKey } = on.s3
  const address = parseS3Address(`s3://releases?endpoint=${on.s3.url}&region=${on.s3.region}`)
  const client = s3Client(address, { ca: null, credentials: { accessKeyId, secretAccessKey } })
  const bucket = s3Bucket({ address, client, clock: systemClock })
  for (const version of OLD)
    await bucket.put(KEYS.binary(version, X86, 'toy'), bodyOf(Buffer.from(`toy ${version}`)), {
      contentType: 'application/octet-stream',
      cacheControl: 'no-cache',
      exclusive: false,
    })
  client.destroy()
  const filled = on.keep()
  await diesAnywhere(filled, { args: ['adopt', '--yes'], now: NOW + DAY }, 60)
  await diesAnywhere(filled, { args: ['adopt', '--yes', '--digest'], now: NOW + DAY }, 60)
})

test('retention: a version leaves the lists, and a week later bucket and registry', LONG, async () => {
  on.restore(released)
  const { world } = on
  appendFileSync(join(world.project, 'pitlane.yaml'), 'retention: { stable: { keep: 1 } }\n')
  world.commit('Keep one')
  world.git('tag', 'v1.0.1')
  await on.done({ args: ['release', 'v1.0.1'], now: NOW })
  const both = on.keep()
  const leaves = { args: ['retention', 'apply'], now: NOW + DAY }
  await diesAnywhere(both, leaves, 60)
  on.restore(both)
  await on.done(leaves)
  assert.ok(Object.keys(await on.published()).includes(KEYS.document('v1.0.0')), 'its files stay for the grace time')
  const retired = on.keep()
  await diesAnywhere(retired, { ...leaves, now: NOW + 9 * DAY }, 60)
  on.restore(retired)
  await on.done({ ...leaves, now: NOW + 9 * DAY })
  const left = Object.keys(await on.published())
  assert.deepEqual(
    left.filter((name) => /v1\.0\.0|_retired/.test(name)),
    [],
  )
  assert.match(await on.done({ ...leaves, now: NOW + 9 * DAY }), /nothing goes/)
})
