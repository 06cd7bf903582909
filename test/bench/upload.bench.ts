// Four files of 100 MB to Garage on loopback, as whole processes: ours a program that carries out the operations of a release, with its journal
// on disk, each object asked for before and after; the peers copy the same files from a folder, with as many parts under way. Every upload
// goes to names that are not there. What goes out of the bucket again in between is not timed.
import { linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { contentStore } from '../../src/artifact/content.ts'
import { systemClock } from '../../src/clock.ts'
import { garage, startGarage } from '../conformance/peers/garage.ts'
import { onPath } from '../conformance/peers/installed.ts'
import { mc } from '../conformance/peers/mc.ts'
import { halfCompressible } from './binaries.ts'
import { compare, table, wholeProcess } from './measure.ts'
import { buildProgram, output, required } from './programs.ts'

const FILES = 4
const SIZE = 100_000_000
const PAIRS = 5
/** MiB. */
const MEMORY = 150
const BUCKET = 'uploads'

const programs = { garage: required(garage()), rclone: required(onPath('rclone')) }
const client = mc()
if ('absent' in client) console.log(`without mc: ${client.absent}`)
const folder = mkdtempSync(join(tmpdir(), 'pitlane-bench-upload-'))
const server = await startGarage(programs.garage)
try {
  await server.makeBucket(BUCKET)
  const program = buildProgram('upload', folder)
  const content = contentStore(join(folder, 'content'), systemClock)
  const plain = join(folder, 'plain')
  mkdirSync(plain)
  const sha256s: string[] = []
  for (let n = 1; n <= FILES; n += 1) {
    const put = await content.putChunks(
      (async function* () {
        yield halfCompressible(SIZE, n)
      })(),
      'the bench',
    )
    sha256s.push(put.sha256)
    linkSync(content.path(put.sha256), join(plain, `file-${n}`))
  }
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    AWS_ACCESS_KEY_ID: server.accessKey,
    AWS_SECRET_ACCESS_KEY: server.secretKey,
    // mc: a server by the name `bench`.
    MC_HOST_bench: server.url.replace('://', `://${server.accessKey}:${server.secretKey}@`),
    RCLONE_CONFIG: join(folder, 'rclone.conf'),
  }
  writeFileSync(
    env.RCLONE_CONFIG,
    [
      '[bench]',
      'type = s3',
      'provider = Other',
      'env_auth = true',
      `endpoint = ${server.url}`,
      'region = garage',
      'force_path_style = true',
      '',
    ].join('\n'),
  )
  let round = 0
  const fresh = (): string => `round-${(round += 1)}`
  const gone = async (prefix: string) =>
    void (await wholeProcess(programs.rclone, ['purge', `bench:${BUCKET}/${prefix}`], { env }))
  const peaks: number[] = []

  const ours = async () => {
    const prefix = fresh()
    const state = join(folder, 'state')
    rmSync(state, { recursive: true, force: true })
    mkdirSync(state)
    writeFileSync(
      join(folder, 'files.json'),
      JSON.stringify(Object.fromEntries(sha256s.map((sha256, n) => [`${prefix}/file-${n + 1}`, sha256]))),
    )
    const location = `s3://${BUCKET}?endpoint=${server.url}&region=${server.region}`
    const { said, took } = await output(process.execPath, [program, folder, location, state], { env })
    peaks.push(Number(said))
    await gone(prefix)
    return took
  }
  const rclone = async () => {
    const prefix = fresh()
    const took = await wholeProcess(
      programs.rclone,
      [
        'copy',
        '--transfers=4',
        '--s3-upload-concurrency=4',
        '--s3-chunk-size=16M',
        '--s3-no-check-bucket',
        '--no-traverse',
        '--no-update-modtime',
        plain,
        `bench:${BUCKET}/${prefix}`,
      ],
      { env },
    )
    await gone(prefix)
    return took
  }
  const minio = async (mcProgram: string) => {
    const prefix = fresh()
    const took = await wholeProcess(
      mcProgram,
      ['cp', '--quiet', '--recursive', `${plain}/`, `bench/${BUCKET}/${prefix}/`],
      { env },
    )
    await gone(prefix)
    return took
  }
  const bound = Number((1 / 0.9).toFixed(2))
  await compare(
    [
      { what: `${FILES} × ${SIZE / 1e6} MB / rclone`, ours, peer: rclone, bound },
      ...('absent' in client
        ? []
        : [{ what: `${FILES} × ${SIZE / 1e6} MB / mc`, ours, peer: () => minio(client.program), bound }]),
    ],
    PAIRS,
  )
  const peak = Math.max(...peaks)
  table(
    [
      ['what', 'ours', 'bound', ''],
      ['peak memory of Pitlane', `${peak.toFixed(0)} MiB`, `≤ ${MEMORY} MiB`, peak <= MEMORY ? 'met' : 'MISSED'],
    ],
    `the greatest of ${peaks.length} uploads`,
  )
} finally {
  await server.stop()
  rmSync(folder, { recursive: true, force: true })
}
