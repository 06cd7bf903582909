// A program of its own for `upload.bench.ts`: puts files that are in a content store already into an S3 bucket as a release does, written down in
// a journal, each looked for, sent and confirmed. Prints its peak memory. Arguments: folder with `content/` and `files.json`, S3 address,
// folder for the journal. Credentials come from the environment.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { contentStore } from '../../../src/artifact/content.ts'
import { parseS3Address } from '../../../src/buckets/address.ts'
import { s3Bucket } from '../../../src/buckets/s3/bucket.ts'
import { s3Client } from '../../../src/buckets/s3/client.ts'
import { systemClock } from '../../../src/clock.ts'
import { openSqlite } from '../../../src/database/sqlite.ts'
import { takeOver } from '../../../src/database/writer.ts'
import { carryOutByHand } from '../../../src/release/by-hand/by-hand-journal.ts'
import type { Operation } from '../../../src/release/publication.ts'
import { IMMUTABLE } from '../../../src/release/put-operations.ts'
import { peakMemory } from '../measure.ts'
import { unmetered } from '../../../src/run/meter.ts'

const [folder = '', location = '', state = ''] = process.argv.slice(2)
const files = JSON.parse(readFileSync(join(folder, 'files.json'), 'utf8')) as Record<string, string>
const clock = systemClock
const address = parseS3Address(location)
const client = s3Client(address, { ca: null, clock })
const content = contentStore(join(folder, 'content'), clock)
const options = { contentType: 'application/octet-stream', cacheControl: IMMUTABLE, exclusive: true }
const operations: Operation[] = []
for (const [key, sha256] of Object.entries(files))
  operations.push({ to: 'bucket', entry: 'objects', key, body: await content.open(sha256), options })
const forcing = { forced: true }
const db = await openSqlite(join(state, 'journal.sqlite'), forcing)
const journal = {
  writer: await takeOver(db, forcing),
  bucket: s3Bucket({ address, client, clock }),
  registry: null,
  metering: unmetered,
  stop: new AbortController().signal,
}
await carryOutByHand(journal, 'four files', operations)
await db.destroy()
client.destroy()
console.log(peakMemory(process.pid))
