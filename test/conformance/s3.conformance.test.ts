// The bucket contract on real S3 servers: one that honours conditional writes, and one that ignores them.
import { after, test } from 'node:test'
import { s3Client } from '../../src/buckets/s3/client.ts'
import { s3Bucket } from '../../src/buckets/s3/bucket.ts'
import { parseS3Address } from '../../src/buckets/address.ts'
import { systemClock } from '../../src/clock.ts'
import { bucketContract } from '../contracts/bucket.contract.ts'
import { startVersitygw, versitygw } from './peers/versitygw.ts'

const peer = versitygw()
if ('absent' in peer) test('versitygw', { skip: peer.absent }, () => {})
else {
  const server = await startVersitygw(peer.program)
  after(() => server.stop())
  process.env['AWS_ACCESS_KEY_ID'] = server.accessKey
  process.env['AWS_SECRET_ACCESS_KEY'] = server.secretKey
  let buckets = 0
  bucketContract(server.name, async (t) => {
    buckets += 1
    const name = `contract-${buckets}`
    await server.makeBucket(name)
    const address = parseS3Address(`s3://${name}/some/project?endpoint=${server.url}&region=${server.region}`)
    const client = s3Client(address, null)
    t.after(() => client.destroy())
    return s3Bucket({ address, client, clock: systemClock, threshold: 1024 * 1024 })
  })
}
