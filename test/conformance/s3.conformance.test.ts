// The bucket contract on real S3 servers: one that honours conditional writes, and one that ignores them.
import { after, test } from 'node:test'
import { parseS3Address } from '../../src/buckets/address.ts'
import { s3Bucket } from '../../src/buckets/s3/bucket.ts'
import { s3Client } from '../../src/buckets/s3/client.ts'
import { systemClock } from '../../src/clock.ts'
import { bucketContract } from '../contracts/bucket.contract.ts'
import { garage, startGarage } from './peers/garage.ts'
import type { S3Server } from './peers/s3.ts'
import { startVersitygw, versitygw } from './peers/versitygw.ts'

/** On loopback a write takes milliseconds. */
const QUICK = { life: 3000, settling: 300, poll: 50 }

function contractOn(server: S3Server, exclusive: boolean): void {
  let buckets = 0
  bucketContract(
    server.name,
    async (t) => {
      buckets += 1
      const name = `contract-${buckets}`
      await server.makeBucket(name)
      const address = parseS3Address(`s3://${name}/some/project?endpoint=${server.url}&region=${server.region}`)
      const { accessKey: accessKeyId, secretKey: secretAccessKey } = server
      const client = s3Client(address, { ca: null, credentials: { accessKeyId, secretAccessKey } })
      t.after(() => client.destroy())
      return s3Bucket({ address, client, clock: systemClock, threshold: 1024 * 1024, leaseTimes: QUICK })
    },
    exclusive,
  )
}

for (const { name, peer, start, exclusive } of [
  { name: 'versitygw', peer: versitygw(), start: startVersitygw, exclusive: true },
  { name: 'Garage', peer: garage(), start: startGarage, exclusive: false },
]) {
  if ('absent' in peer) test(name, { skip: peer.absent }, () => {})
  else {
    const server = await start(peer.program)
    after(() => server.stop())
    contractOn(server, exclusive)
  }
}
