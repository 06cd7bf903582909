// A program of its own for `push.bench.ts`: puts images that are made already and their index into a registry as a release does, with the same
// operations, written down in a journal, carried out and confirmed. Prints how many milliseconds that took, from the first look at the
// registry on. Arguments: folder of `makeImages`, registry, folder for the journal, `all` repositories or only that of the `index`.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { contentStore } from '../../../src/artifact/content.ts'
import { systemClock } from '../../../src/clock.ts'
import { openSqlite } from '../../../src/database/sqlite.ts'
import { takeOver } from '../../../src/database/writer.ts'
import { parseRegistryAddress } from '../../../src/image/address.ts'
import { assembleImage } from '../../../src/image/image.ts'
import { httpSender } from '../../../src/image/registry/http.ts'
import { distributionRegistry } from '../../../src/image/registry/registry.ts'
import { Session } from '../../../src/image/registry/session.ts'
import { carryOutByHand } from '../../../src/release/by-hand/by-hand-journal.ts'
import { imageOperations } from '../../../src/release/image-operations.ts'
import { findContradictions } from '../../../src/release/contradictions.ts'
import type { MadeImages } from '../images.ts'
import { unmetered } from '../../../src/run/meter.ts'

const [folder = '', host = '', state = '', which = 'all'] = process.argv.slice(2)
const clock = systemClock
const { planned, facts, layers } = JSON.parse(readFileSync(join(folder, 'made.json'), 'utf8')) as MadeImages
const forcing = { forced: true }
const db = await openSqlite(join(state, 'journal.sqlite'), forcing)
const address = parseRegistryAddress(host)
const sender = httpSender(null, { clock })
const session = new Session({ address, send: sender.send, clock, credentials: null })
const journal = {
  writer: await takeOver(db, forcing),
  bucket: null,
  registry: distributionRegistry(address, session),
  metering: unmetered,
  stop: new AbortController().signal,
}
const content = contentStore(join(folder, 'content'), clock)
const bodies = new Map(
  await Promise.all(
    layers.map(async ([, { digest }]) => {
      const sha256 = digest.slice('sha256:'.length)
      return [sha256, await content.open(sha256)] as const
    }),
  ),
)
const { repository, tag } = planned
const body = (sha256: string) => {
  const found = bodies.get(sha256)
  if (found === undefined) throw new Error(`no layer ${sha256}`)
  return found
}
const operations = imageOperations(assembleImage(planned, facts, new Map(layers)), { repository, tag }, body).filter(
  (operation) => which === 'all' || ('repository' in operation && operation.repository === repository),
)
const since = performance.now()
await findContradictions(journal, operations)
await carryOutByHand(journal, `${repository}:${tag}`, operations)
console.log(performance.now() - since)
await db.destroy()
sender.close()
