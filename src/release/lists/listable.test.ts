import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { folderBucket } from '../../buckets/folder/bucket.ts'
import { systemClock } from '../../clock.ts'
import { layoutRegistry } from '../../image/layout.ts'
import { exampleDocument, exampleSite } from '../../pages/fixtures/documents.ts'
import { siteIndex } from '../../pages/index-json.ts'
import { catalogue } from '../../pages/catalogue.ts'
import { bodyOf } from '../digest.ts'
import { privateKeyOf, rawPublicKey } from '../keys/ed25519.ts'
import { listable } from './listable.ts'
import { createSigner } from '../keys/sign.ts'

const PUT = { contentType: 'x', cacheControl: 'x', exclusive: true }

async function world(t: { after(fn: () => void): void }) {
  const folder = mkdtempSync(join(tmpdir(), 'pitlane-listable-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const bucket = folderBucket(join(folder, 'bucket'), systemClock)
  const registry = layoutRegistry(join(folder, 'images'))
  // Files of the size that the document says, whatever is in them: their bytes are for verification.
  const document = exampleDocument('v1.0.0')
  for (const file of document.files) await bucket.put(file.path, bodyOf(Buffer.alloc(file.size)), PUT)
  return { bucket, registry, stored: { document, sha256: 'a'.repeat(64) } }
}

test('a document whose image tags are not there is left out, with what it lacks', async (t) => {
  const { bucket, registry, stored } = await world(t)
  assert.ok(stored.document.image, 'the example has an image')
  const { listed, incomplete } = await listable({ bucket, registry, signer: null }, [stored], null)
  assert.deepEqual(listed, [])
  assert.match(incomplete[0]?.lacks ?? '', /^image /)
})

test('its files and its tags are looked at at the same time', async (t) => {
  const { bucket, registry, stored } = await world(t)
  let isAsked = false
  const head = async (key: string) => {
    await new Promise(setImmediate)
    assert.ok(isAsked, `${key} is waited for`)
    return bucket.head(key)
  }
  const resolveTag: typeof registry.resolveTag = (repository, tag) => {
    isAsked = true
    return registry.resolveTag(repository, tag)
  }
  const places = {
    bucket: Object.assign(Object.create(bucket), { head }),
    registry: Object.assign(Object.create(registry), { resolveTag }),
  }
  const { incomplete } = await listable({ ...places, signer: null }, [stored], null)
  assert.match(incomplete[0]?.lacks ?? '', /^image /)
})

test('a document whose file is not there is left out', async (t) => {
  const { bucket, registry, stored } = await world(t)
  const [file] = stored.document.files
  assert.ok(file)
  await bucket.delete(file.path)
  const { incomplete } = await listable({ bucket, registry, signer: null }, [stored], null)
  assert.deepEqual(incomplete, [{ version: 'v1.0.0', lacks: file.path }])
})

test('what readers see listed stays listed, by the digest of its document', async (t) => {
  const { bucket, registry, stored } = await world(t)
  const site = exampleSite({ documents: [stored.document], documentSha256: () => stored.sha256 })
  const index = siteIndex(catalogue(site), [])
  assert.deepEqual((await listable({ bucket, registry, signer: null }, [stored], index)).listed, [stored])
  const other = { ...stored, sha256: 'b'.repeat(64) }
  assert.deepEqual((await listable({ bucket, registry, signer: null }, [other], index)).listed, [])
})

test('where releases are signed, a document without a signature that nobody has seen listed is left out', async (t) => {
  const { bucket, registry, stored } = await world(t)
  const seed = Buffer.alloc(32, 7)
  const signer = createSigner({ seed, keyId: Buffer.alloc(8, 7), key: rawPublicKey(privateKeyOf(seed)) })
  const unsigned = { ...stored, document: exampleDocument('v1.0.0', { image: null, signing: { scheme: 'none' } }) }
  assert.deepEqual((await listable({ bucket, registry, signer: null }, [unsigned], null)).listed, [unsigned])
  const { listed, incomplete } = await listable({ bucket, registry, signer }, [unsigned], null)
  assert.deepEqual(listed, [])
  assert.deepEqual(incomplete, [{ version: 'v1.0.0', lacks: 'a signature' }])
  const site = exampleSite({ documents: [unsigned.document], documentSha256: () => unsigned.sha256 })
  const index = siteIndex(catalogue(site), [])
  assert.deepEqual((await listable({ bucket, registry, signer }, [unsigned], index)).listed, [unsigned])
})
