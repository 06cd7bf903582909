// Page and lists of 1 000 releases: the pure function alone (from its source, in this process), and `pitlane pages rebuild` as a whole
// process over a bucket that holds them: reading and verifying every document, rendering, comparing, writing.
import { createHash } from 'node:crypto'
import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { exampleSite, manyDocuments } from '../../src/pages/fixtures/documents.ts'
import { renderSite } from '../../src/pages/site.ts'
import { KEYS } from '../../src/plan/keys.ts'
import { encodeDocument } from '../../src/release/document.ts'
import { parseSecretKey } from '../../src/release/keys/minisign.ts'
import { createSigner, trustedCommentOf } from '../../src/release/keys/sign.ts'
import { makeWorld, SECRET_KEY } from '../world/toy.ts'
import { compare, pitlane } from './measure.ts'

const RELEASES = 1000
const PAIRS = 7
const signer = createSigner(parseSecretKey(SECRET_KEY, 'the test key'))
const documents = manyDocuments(RELEASES).map((document) => ({
  ...document,
  image: null,
  signing: { scheme: 'minisign' as const, publicKey: signer.publicKey.line, keyId: signer.keyId },
}))
const site = exampleSite({ documents })
const world = makeWorld(`name: verifier
checks: [{ name: nothing, run: 'true' }]
release:
  targets: [x86_64-unknown-linux-musl]
  build: { run: 'true', binary: out/verifier }
publish: { bucket: ../bucket, public: 'https://downloads.example.org/verifier' }
`)
for (const document of documents) {
  const key = KEYS.document(document.version)
  const bytes = encodeDocument(document)
  const comment = trustedCommentOf({ name: document.name, version: document.version, path: key })
  mkdirSync(dirname(join(world.bucket, key)), { recursive: true })
  writeFileSync(join(world.bucket, key), bytes)
  const blake2b512 = createHash('blake2b512').update(bytes).digest()
  writeFileSync(join(world.bucket, `${key}.minisig`), signer.signFile({ blake2b512 }, comment))
  // What is not complete is not listed: files of the right size, which take no place on the disk.
  for (const { path, size } of document.files) {
    mkdirSync(dirname(join(world.bucket, path)), { recursive: true })
    writeFileSync(join(world.bucket, path), '')
    truncateSync(join(world.bucket, path), size)
  }
}
const place = { cwd: world.project, env: world.env }

async function rendered(): Promise<number> {
  const since = performance.now()
  renderSite(site)
  return performance.now() - since
}

async function rebuilt(): Promise<number> {
  rmSync(join(world.bucket, KEYS.index))
  return pitlane(['pages', 'rebuild'], place)
}

try {
  await pitlane(['pages', 'rebuild'], place)
  await compare(
    [
      { what: `page and lists from ${RELEASES} documents`, ours: rendered, figure: 'time', bound: 1000 },
      { what: `pages rebuild, all written anew`, ours: rebuilt, figure: 'time', bound: 1000 },
      {
        what: `pages rebuild, nothing to do`,
        ours: () => pitlane(['pages', 'rebuild'], place),
        figure: 'time',
        bound: 1000,
      },
    ],
    PAIRS,
  )
} finally {
  world.remove()
}
