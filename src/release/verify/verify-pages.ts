/**
 * Page, lists, feeds, pointers, installer and keys: each has to be the one that the signed index.json names by digest. Whoever may write to the
 * bucket can replace all of them, and none of them is signed by itself.
 */
import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { PitlaneError } from '../../errors.ts'
import { inParallel } from '../../parallel.ts'
import { KEYS } from '../../plan/keys.ts'
import { Findings, wrong } from './findings.ts'
import { parsePublicKey, type PublicKey } from '../keys/public-key.ts'
import { type IndexPage, LIST_LIMIT, type SiteIndex } from '../lists/site-index.ts'
import type { Published } from './verify-document.ts'

/** How many are read at once. */
const PARALLEL = 8
const KEY_FILES = [KEYS.publicKey, KEYS.publicKeyPem]
const ALWAYS = [KEYS.page, KEYS.garageList, KEYS.atomAll, KEYS.atomStable]

/** The texts that are compared with the release document, by key: only those that are what the index names. */
export type Pages = ReadonlyMap<string, string>

/** @param pointers keys of the pointers that are compared, too */
export async function verifyPages(
  bucket: Published,
  key: PublicKey | null,
  index: SiteIndex,
  pointers: readonly string[],
  found: Findings,
): Promise<Pages> {
  const compared = [...ALWAYS, ...(index.publicKey === null ? [] : KEY_FILES), ...pointers]
  const texts = new Map<string, string>()
  if (index.pages === undefined) {
    found.skipped.push({
      kind: 'pages',
      what: 'each byte of page, lists, feeds and install.sh',
      remedy: `${KEYS.index} is of an earlier Pitlane and names none of them by digest; the publisher renews it with \`pitlane pages rebuild\``,
    })
    const looked = await inParallel(compared, PARALLEL, async (path) => {
      const own = new Findings()
      return { path, own, bytes: await own.attempt(() => present(bucket, path)) }
    })
    for (const { path, own, bytes } of looked) {
      found.add(own)
      if (bytes !== null) texts.set(path, bytes.value.toString('utf8'))
    }
  } else await verifyDigests(bucket, index, index.pages, compared, texts, found)
  if (key !== null)
    await found.check('minisign.pub and signing-key.pem hold the key', () => requireKey(key, index, texts))
  return texts
}

async function present(bucket: Published, path: string): Promise<Buffer> {
  const bytes = await bucket.read(path, LIST_LIMIT)
  if (bytes === null) throw wrong(`${path} is missing`)
  return bytes
}

async function verifyDigests(
  bucket: Published,
  index: SiteIndex,
  pages: readonly IndexPage[],
  compared: readonly string[],
  texts: Map<string, string>,
  found: Findings,
): Promise<void> {
  const before = found.problems.length
  const named = new Set(pages.map(({ path }) => path))
  for (const path of [...compared, KEYS.installScript])
    if (!named.has(path)) found.problems.push(`${KEYS.index} does not name ${path} by digest`)
  const looked = await inParallel(pages, PARALLEL, async (page) => {
    const own = new Findings()
    const isKept = compared.includes(page.path)
    const read = await own.attempt(() => readPage(bucket, index, page, isKept))
    if (read !== null && isKept) texts.set(page.path, read.value.toString('utf8'))
    return own
  })
  for (const own of looked) found.add(own)
  if (found.problems.length === before)
    found.checks.push(
      `page, lists, feeds, pointers, install.sh and keys are the ones that index.json names: ${pages.length} files`,
    )
}

/** Empty unless it is kept. Stops reading once there is more than expected. */
async function readPage(
  bucket: Published,
  { serial }: SiteIndex,
  { path, size, sha256 }: IndexPage,
  isKept: boolean,
): Promise<Buffer> {
  if (size > LIST_LIMIT) throw wrong(`${KEYS.index} names ${path} with ${size} bytes, more than ${LIST_LIMIT}`)
  const stream: Readable | null = await bucket.open(path)
  if (stream === null) throw wrong(`${path} is missing`)
  const hash = createHash('sha256')
  const kept: Buffer[] = []
  let length = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > size) break
    hash.update(chunk)
    if (isKept) kept.push(chunk)
  }
  const other = (what: string) => wrong(`${path} is not the one that ${KEYS.index} (serial ${serial}) names: ${what}`)
  if (length !== size) throw other(length > size ? 'it is longer' : 'it is shorter')
  const digest = hash.digest('hex')
  if (digest !== sha256) throw other(`it has SHA-256 ${digest}, not ${sha256}`)
  return Buffer.concat(kept)
}

/** A key that was not read is told already. */
function requireKey(key: PublicKey, index: SiteIndex, texts: Pages): void {
  if (index.publicKey === null) throw wrong(`${KEYS.index} names no public key, and is signed`)
  const places: [string, string | undefined][] = KEY_FILES.map((path) => [path, texts.get(path)])
  for (const [where, text] of [[`publicKey of ${KEYS.index}`, index.publicKey.minisign] as const, ...places]) {
    if (text === undefined) continue
    const other = readKey(text, where)
    const sameId = key.keyId === null || other.keyId === null || key.keyId.equals(other.keyId)
    if (!other.key.equals(key.key) || !sameId) throw wrong(`${where} is another key than the one that was given`)
  }
}

function readKey(text: string, where: string): PublicKey {
  try {
    return parsePublicKey(text, where)
  } catch (error) {
    if (error instanceof PitlaneError && error.code === 'KEY_INVALID') throw wrong(error.message)
    throw error
  }
}
