/** A bucket with signed releases and lists, and states that publish into it. */
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { folderBucket } from '../../src/buckets/folder/bucket.ts'
import { systemClock } from '../../src/clock.ts'
import { openSqlite } from '../../src/database/sqlite.ts'
import { takeOver } from '../../src/database/writer.ts'
import { exampleDocument } from '../../src/pages/fixtures/documents.ts'
import { renderSite } from '../../src/pages/site.ts'
import { KEYS } from '../../src/plan/keys.ts'
import { encodeDocument } from '../../src/release/document.ts'
import { documentCheck } from '../../src/release/documents.ts'
import { privateKeyOf, rawPublicKey } from '../../src/release/keys/ed25519.ts'
import type { ListParts } from '../../src/release/lists/list-parts.ts'
import { signDocument } from '../../src/release/put-operations.ts'
import { parsePublicKey } from '../../src/release/keys/public-key.ts'
import { rebuildPages } from '../../src/release/lists/rebuild-pages.ts'
import { createSigner, type Signer } from '../../src/release/keys/sign.ts'
import { parseSiteIndex, type SiteIndex } from '../../src/release/lists/site-index.ts'
import { FAST } from './fast-folder.ts'
import { unmetered } from '../../src/run/meter.ts'

export const NOW = Date.UTC(2026, 5, 1)
export const VERSIONS = ['v1.0.0', 'v1.1.0', 'v1.2.0', 'v2.0.0-rc1'] as const
export const never = new AbortController().signal
export const siteKey = () => parsePublicKey(SIGNER.publicKey.line, 'test')

/** The same key for the same byte. */
export function signerOf(byte: number): Signer {
  const seed = Buffer.alloc(32, byte)
  return createSigner({ seed, keyId: Buffer.alloc(8, byte), key: rawPublicKey(privateKeyOf(seed)) })
}
const SIGNER = signerOf(7)

/** An empty bucket of the project `toy`, and states that publish into it; a null signer signs nothing. */
export function toySite(t: TestContext, signer: Signer | null = SIGNER) {
  const root = mkdtempSync(join(FAST, 'pitlane-site-'))
  const folder = join(root, 'bucket')
  let now = NOW
  const clock = { ...systemClock, now: () => now }
  const closing: (() => Promise<void>)[] = []
  t.after(async () => {
    for (const close of closing) await close()
    rmSync(root, { recursive: true, force: true })
  })
  const notes: string[] = []
  const elsewhere = async (): Promise<ListParts> => {
    const db = await openSqlite(join(root, `state-${closing.length}.sqlite`))
    closing.push(() => db.destroy())
    return {
      bucket: folderBucket(folder, clock),
      place: './bucket',
      registry: null,
      note: (message) => notes.push(message),
      signer,
      check: signer === null ? null : documentCheck(parsePublicKey(signer.publicKey.line, 'test')),
      render: renderSite,
      documentation: null,
      name: 'toy',
      baseUrl: 'https://releases.example.org',
      clock,
      metering: unmetered,
      writer: await takeOver(db),
      exclusively: (work) => work(),
    }
  }
  const write = (key: string, bytes: Buffer | string) => {
    mkdirSync(dirname(join(folder, key)), { recursive: true })
    writeFileSync(join(folder, key), bytes)
  }
  /** Puts a release without files, signed. */
  const put = (version: string, options: Parameters<typeof exampleDocument>[1] = {}) => {
    const key = KEYS.document(version)
    const bytes = encodeDocument({
      ...exampleDocument(version, options),
      name: 'toy',
      signing:
        signer === null
          ? { scheme: 'none' }
          : { scheme: 'minisign', publicKey: signer.publicKey.line, keyId: signer.keyId },
      files: [],
      image: null,
    })
    write(key, bytes)
    if (signer !== null)
      for (const side of signDocument(signer, 'toy', version, key, bytes)) write(side.key, side.bytes)
    return bytes
  }
  const read = (key: string) => readFileSync(join(folder, key), 'utf8')
  return {
    folder,
    elsewhere,
    notes,
    write,
    put,
    read,
    remove: (key: string) => rmSync(join(folder, key)),
    index: () => parseSiteIndex(Buffer.from(read(KEYS.index)), 'index.json'),
    at: (time: number) => {
      now = time
    },
  }
}

/** Signs an index that names the pages as they are now: what a publisher would be told who signed wrong ones. */
export function resign(
  write: (key: string, bytes: Buffer) => void,
  index: SiteIndex,
  read: (key: string) => Buffer,
  signer: Signer = SIGNER,
): void {
  const pages = index.pages?.map(({ path }) => {
    const bytes = read(path)
    return { path, size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
  })
  const bytes = Buffer.from(JSON.stringify({ ...index, pages }))
  write(KEYS.index, bytes)
  for (const side of signDocument(signer, index.name, `serial-${index.serial}`, KEYS.index, bytes))
    write(side.key, side.bytes)
}

/** A bucket with four releases of `toy`, one of them of the channel `extra`; a null signer signs nothing. */
export async function signedSite(t: TestContext, signer: Signer | null = SIGNER) {
  const site = toySite(t, signer)
  for (const version of VERSIONS) site.put(version, { channel: version.includes('-') ? 'extra' : 'stable' })
  const parts = await site.elsewhere()
  await rebuildPages(parts, never)
  return { ...site, parts }
}
