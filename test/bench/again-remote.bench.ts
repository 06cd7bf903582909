// A release of a version that is published already, and unchanged, on an S3 server and a registry: the whole process, and every request
// that is no GET and no HEAD, counted in front of both.
import { distribution, startDistribution } from '../conformance/peers/distribution.ts'
import { openGates } from '../conformance/peers/gate.ts'
import { startVersitygw, versitygw } from '../conformance/peers/versitygw.ts'
import { CONFIGURATION, makeWorld } from '../world/toy.ts'
import { compare, pitlane, table } from './measure.ts'
import { required } from './programs.ts'

const PAIRS = 11
const programs = { s3: required(versitygw()), registry: required(distribution()) }
const s3 = await startVersitygw(programs.s3, { more: ['--keep-alive', '--quiet'] })
const registry = await startDistribution(programs.registry)
await s3.makeBucket('releases')
const web = await s3.readBucket('releases')
const gates = openGates()
const [front, images] = [await gates.before(s3.url), await gates.before(registry.url)]
const world = makeWorld(
  CONFIGURATION.replace('bucket: ../bucket', `bucket: s3://releases?endpoint=${front}&region=${s3.region}`)
    .replace('registry: ../images', `registry: ${new URL(images).host}`)
    .replace('https://releases.example.org', web.url),
)
const env = { ...world.env, AWS_ACCESS_KEY_ID: s3.accessKey, AWS_SECRET_ACCESS_KEY: s3.secretKey }
const place = { cwd: world.project, env }
try {
  await pitlane(['release', 'v1.0.0'], place)
  gates.arm(null)
  await compare(
    [
      {
        what: 'release of an unchanged version again, on S3 and registry',
        ours: () => pitlane(['release', 'v1.0.0'], place),
        figure: 'time',
        bound: 1000,
      },
    ],
    PAIRS,
  )
  const writes = gates.seen.filter((asked) => !/^(GET|HEAD) /.test(asked))
  const each = gates.seen.length / (PAIRS + 1)
  table(
    [
      ['what', 'ours', 'bound', ''],
      ['requests, each time', each.toFixed(0), '-', ''],
      ['writes, all times', String(writes.length), '0', writes.length === 0 ? 'met' : `MISSED: ${writes[0]}`],
    ],
    `of ${PAIRS + 1} releases`,
  )
} finally {
  world.remove()
  await gates.stop()
  for (const each of [web, registry, s3]) await each.stop()
}
