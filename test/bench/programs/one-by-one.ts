// A program of its own for `far.bench.ts`: puts everything that a release puts, with the same clients, one thing after the other: each binary with
// what stands beside it, each image, the index, the documents, the lists. It reads nothing back but what the clients themselves confirm, and
// verifies nothing. Prints how many milliseconds that took, without the start of Node and the loading of the code. Arguments: folder of
// `makeImages`, S3 address, registry. Credentials come from the environment.
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { contentStore } from '../../../src/artifact/content.ts'
import { parseS3Address } from '../../../src/buckets/address.ts'
import { s3Bucket } from '../../../src/buckets/s3/bucket.ts'
import { s3Client } from '../../../src/buckets/s3/client.ts'
import type { Body } from '../../../src/buckets/types.ts'
import { systemClock } from '../../../src/clock.ts'
import { parseRegistryAddress } from '../../../src/image/address.ts'
import { assembleImage } from '../../../src/image/image.ts'
import { httpSender } from '../../../src/image/registry/http.ts'
import { distributionRegistry } from '../../../src/image/registry/registry.ts'
import { Session } from '../../../src/image/registry/session.ts'
import { KEYS } from '../../../src/plan/keys.ts'
import { bodyOf } from '../../../src/release/digest.ts'
import { imageOperations } from '../../../src/release/image-operations.ts'
import type { MadeImages } from '../images.ts'

const [folder = '', location = '', host = ''] = process.argv.slice(2)
const clock = systemClock
const { planned, facts, layers, binaries } = JSON.parse(readFileSync(join(folder, 'made.json'), 'utf8')) as MadeImages
const content = contentStore(join(folder, 'content'), clock)
const bodies = new Map<string, Body>()
for (const sha256 of [
  ...layers.map(([, { digest }]) => digest.slice('sha256:'.length)),
  ...binaries.map(([, binary]) => binary),
])
  bodies.set(sha256, await content.open(sha256))
const stored = (sha256: string) => {
  const body = bodies.get(sha256)
  if (body === undefined) throw new Error(`no content ${sha256}`)
  return body
}
const address = parseS3Address(location)
const client = s3Client(address, { ca: null, clock })
const bucket = s3Bucket({ address, client, clock })
const registryAddress = parseRegistryAddress(host)
const sender = httpSender(null, { clock })
const session = new Session({ address: registryAddress, send: sender.send, clock, credentials: null })
const registry = distributionRegistry(registryAddress, session)
const put = (key: string, body: Body, exclusive: boolean) =>
  bucket.put(key, body, { contentType: 'application/octet-stream', cacheControl: 'no-cache', exclusive })
const small = () => bodyOf(randomBytes(1000))

const since = performance.now()
const { version } = facts
for (const [triple, sha256] of binaries) {
  const key = KEYS.binary(version, triple, 'small')
  await put(key, stored(sha256), true)
  for (const side of ['.sha256', '.minisig']) await put(`${key}${side}`, small(), true)
}
const image = assembleImage(planned, facts, new Map(layers))
for (const operation of imageOperations(image, planned, stored)) {
  if (operation.to === 'blob') {
    const { repository, body } = operation
    await registry.putBlob(repository, { digest: `sha256:${body.sha256}`, size: body.size, open: () => body.open() })
  }
  if (operation.to === 'manifest')
    await registry.putManifest(operation.repository, operation.mediaType, operation.bytes)
  if (operation.to === 'tag') await registry.putTag(operation.repository, operation.tag, operation.descriptor)
}
for (const key of [KEYS.sums(version), KEYS.document(version)])
  for (const side of ['.minisig', '.sig', '']) await put(`${key}${side}`, small(), true)
for (const key of [
  KEYS.publicKey,
  KEYS.publicKeyPem,
  KEYS.installScript,
  KEYS.garageList,
  KEYS.atomAll,
  KEYS.atomStable,
  KEYS.page,
  KEYS.latest,
  `${KEYS.index}.minisig`,
  `${KEYS.index}.sig`,
  KEYS.index,
])
  await put(key, small(), false)
console.log(performance.now() - since)
client.destroy()
sender.close()
