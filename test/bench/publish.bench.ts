// From four built binaries of 100 MB to a verified release: collected, verified, packed into images, signed, published, read back.
//
// The build step is a hard link, so that nothing of the time is building. Ours is measured from the progress events: from the end of
// the first build step to `published`, as they arrive here. The peer reads the same bytes on as many threads as Pitlane has jobs,
// takes their SHA-256, and gzips them with level 6, keeping nothing.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { staticBinary } from '../../src/artifact/fixtures/elf-builder.ts'
import { TARGETS } from '../../src/plan/targets.ts'
import { makeWorld } from '../world/toy.ts'
import { halfCompressible } from './binaries.ts'
import { compare, peakMemory, PITLANE, table, wholeProcess } from './measure.ts'

const SIZE = 100_000_000
const PAIRS = 3
const JOBS = availableParallelism()
/** MiB. */
const MEMORY = 200

const triples = TARGETS.map((target) => target.triple)
const world = makeWorld(`name: big
checks: [{ name: nothing, run: 'true' }]
release:
  targets: [${triples.join(', ')}]
  build:
    run: mkdir out && ln "$HOME/built/$TARGET" out/big
    binary: out/big
  image: { name: example/big, command: [/big] }
publish: { bucket: ../bucket, registry: ../images }
`)
const built = join(world.env['HOME'] ?? '', 'built')
mkdirSync(built)
for (const triple of triples)
  writeFileSync(join(built, triple), staticBinary(triple, halfCompressible(SIZE)), { mode: 0o755 })
const files = triples.map((triple) => join(built, triple))
const peaks: number[] = []

const PEER = `
  const { Worker, isMainThread, workerData } = require('node:worker_threads')
  const { createHash } = require('node:crypto')
  const { createReadStream } = require('node:fs')
  const { createGzip } = require('node:zlib')
  const { pipeline } = require('node:stream/promises')
  if (isMainThread) {
    const files = process.argv.slice(1)
    for (let n = 0; n < ${JOBS}; n++) new Worker(process._eval,
      { eval: true, workerData: files.filter((_, at) => at % ${JOBS} === n) })
  } else (async () => {
    for (const file of workerData) {
      const hash = createHash('sha256')
      await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }),
        async function* (chunks) { for await (const chunk of chunks) { hash.update(chunk); yield chunk } },
        createGzip({ level: 6, chunkSize: 1 << 18 }),
        async (chunks) => { for await (const chunk of chunks) void chunk })
      hash.digest()
    }
  })()`

async function release(): Promise<number> {
  for (const path of [join(world.project, '.pitlane'), world.bucket, world.images])
    rmSync(path, { recursive: true, force: true })
  const child = spawn(process.execPath, [PITLANE, 'release', 'v1.0.0', '--json'], {
    cwd: world.project,
    env: world.env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  let since = Number.NaN
  let took = Number.NaN
  let peak = 0
  const watch = setInterval(() => (peak = Math.max(peak, peakMemory(child.pid ?? 0) ?? 0)), 20)
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line) as { event: string; state?: string; entry?: string; stage?: string }
    const now = performance.now()
    if (event.event === 'step' && event.state === 'succeeded' && event.stage !== 'checks' && Number.isNaN(since))
      since = now
    if (event.event === 'published') took = now - since
    if (process.env['BENCH_TRACE'] !== undefined)
      console.log(Math.round(now - since), event.event, event.state, event.entry)
  }
  clearInterval(watch)
  const [code] = (await ended) as [number | null]
  if (code !== 0) throw new Error(`pitlane release ended with ${code}`)
  peaks.push(peak)
  return took
}

try {
  await compare(
    [
      {
        what: `4 × 100 MB released / hashed and gzipped, ${JOBS} threads`,
        ours: release,
        peer: () => wholeProcess(process.execPath, ['-e', PEER, ...files], { env: world.env }),
        bound: 2,
      },
    ],
    PAIRS,
  )
  const layers = files.reduce((sum, file) => sum + statSync(file).size, 0)
  const peak = Math.max(...peaks)
  table(
    [
      ['what', 'ours', 'bound', ''],
      ['peak memory of Pitlane', `${peak.toFixed(0)} MiB`, `≤ ${MEMORY} MiB`, peak <= MEMORY ? 'met' : 'MISSED'],
    ],
    `the greatest of ${peaks.length} releases of ${layers} bytes each`,
  )
} finally {
  world.remove()
}
