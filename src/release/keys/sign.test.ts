import assert from 'node:assert/strict'
import { createHash, createPublicKey, verify } from 'node:crypto'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { privateKeyOf, rawPublicKey } from './ed25519.ts'
import { parsePublicKey } from './public-key.ts'
import { blake2b512Of, createSigner, trustedCommentOf } from './sign.ts'
import { verifyFile, verifyRaw } from './verify-signature.ts'

function signerOf(seedByte: number) {
  const seed = Buffer.alloc(32, seedByte)
  return createSigner({ seed, keyId: Buffer.alloc(8, seedByte), key: rawPublicKey(privateKeyOf(seed)) })
}

const signer = signerOf(7)
const publicKey = parsePublicKey(signer.publicKey.minisign, 'minisign.pub')
const comment = trustedCommentOf({ name: 'garage', version: 'v1.0.0', path: '_releases/v1.0.0/release.json' })

function hashOf(text: string): { blake2b512: Buffer } {
  return { blake2b512: createHash('blake2b512').update(text).digest() }
}

/** RFC 8032 §7.1, tests 1 to 3. */
const VECTORS = [
  [
    '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
  ],
  [
    '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
  ],
] as const

test('public keys follow from seeds as in RFC 8032', () => {
  for (const [seed, key] of VECTORS)
    assert.equal(rawPublicKey(privateKeyOf(Buffer.from(seed, 'hex'))).toString('hex'), key)
})

test('the comment names project, version and path, and no two names share one', () => {
  assert.equal(comment, 'pitlane garage v1.0.0 file:_releases/v1.0.0/release.json')
  for (const part of ['', 'a b', 'a\nb', 'a\tb', 'é', 'a'.repeat(1025)]) {
    assert.throws(() => trustedCommentOf({ name: part, version: 'v1', path: 'p' }), { code: 'INTERNAL' })
    assert.throws(() => trustedCommentOf({ name: 'n', version: part, path: 'p' }), { code: 'INTERNAL' })
    assert.throws(() => trustedCommentOf({ name: 'n', version: 'v1', path: part }), { code: 'INTERNAL' })
  }
})

const verificationRefused = (run: () => unknown, message: RegExp) =>
  assert.throws(run, { code: 'VERIFICATION_FAILED', message })

test('a file and its signature verify; another file, comment, key or name does not', () => {
  const signature = signer.signFile(hashOf('content'), comment)
  assert.equal(verifyFile(publicKey, hashOf('content'), signature, comment, 's'), comment)
  assert.equal(verifyFile(publicKey, hashOf('content'), signature, null, 's'), comment)
  assert.equal(verifyFile({ ...publicKey, keyId: null }, hashOf('content'), signature, comment, 's'), comment)
  verificationRefused(
    () => verifyFile(publicKey, hashOf('other'), signature, comment, 's'),
    /s: the signature is not one of this file/,
  )
  verificationRefused(
    () => verifyFile(publicKey, { blake2b512: Buffer.alloc(0) }, signature, comment, 's'),
    /not one of this file/,
  )
  const renamed = trustedCommentOf({ name: 'garage', version: 'v2.0.0', path: '_releases/v1.0.0/release.json' })
  verificationRefused(
    () => verifyFile(publicKey, hashOf('content'), signature, renamed, 's'),
    /was signed as .*v1\.0\.0 .*not as .*v2\.0\.0/,
  )
  verificationRefused(
    () => verifyFile(publicKey, hashOf('content'), signature.replace(comment, renamed), renamed, 's'),
    /comment was changed/,
  )
  const other = parsePublicKey(signerOf(8).publicKey.minisign, 'o')
  verificationRefused(
    () => verifyFile(other, hashOf('content'), signature, comment, 's'),
    /with the key 707070707070707, not with 808080808080808/,
  )
  verificationRefused(
    () => verifyFile({ ...other, keyId: publicKey.keyId }, hashOf('content'), signature, comment, 's'),
    /by this key/,
  )
})

test('signing again gives the same bytes', () => {
  assert.equal(signer.signFile(hashOf('x'), comment), signerOf(7).signFile(hashOf('x'), comment))
  assert.deepEqual(signer.signRaw(Buffer.from('x\n')), signerOf(7).signRaw(Buffer.from('x\n')))
  assert.equal(
    createHash('sha256')
      .update(signer.signFile(hashOf('x'), comment))
      .digest('hex'),
    '0382ce89249e82c90f6e5a1f799acb112543fb65cab49f2ae9629652084b06cf',
  )
})

test('any change of any byte of a signature file is refused, the untrusted comment apart', () => {
  const signature = signer.signFile(hashOf('content'), comment)
  const start = signature.indexOf('\n') + 1
  fc.assert(
    fc.property(fc.integer({ min: start, max: signature.length - 2 }), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const changed = Buffer.from(signature)
      changed[at] = (changed[at] ?? 0) ^ flip
      assert.throws(() => verifyFile(publicKey, hashOf('content'), changed.toString(), null, 's'), {
        code: 'VERIFICATION_FAILED',
      })
    }),
    { numRuns: 300 },
  )
})

const plainRefused = (run: () => void) => assert.throws(run, { code: 'VERIFICATION_FAILED' })

test('a document and its plain signature verify, also with the PEM key alone', () => {
  const document = Buffer.from('{"format":"pitlane-release/1"}\n')
  const signature = signer.signRaw(document)
  assert.equal(signature.length, 64)
  verifyRaw(publicKey, document, signature, 's')
  verifyRaw(parsePublicKey(signer.publicKey.pem, 'pem'), document, signature, 's')
  assert.ok(verify(null, document, createPublicKey(signer.publicKey.pem), signature))
  plainRefused(() => verifyRaw(publicKey, Buffer.from('{}'), signature, 's'))
  plainRefused(() => verifyRaw(publicKey, document, signature.subarray(1), 's'))
  plainRefused(() => verifyRaw(publicKey, document, Buffer.from(signature.toString('base64')), 's'))
  plainRefused(() => verifyRaw(parsePublicKey(signerOf(8).publicKey.pem, 'pem'), document, signature, 's'))
})

const signingRefused = (bytes: Buffer, message: RegExp) =>
  assert.throws(() => signer.signRaw(bytes), { code: 'INTERNAL', message })

test('nothing that could be other signed bytes is signed as a document', () => {
  signingRefused(Buffer.from('DSSEv1 28 application/vnd.in-toto+json 2 {}'), /DSSE/)
  signingRefused(Buffer.from('a'.repeat(64)), /as long as a hash/)
  signingRefused(Buffer.concat([Buffer.alloc(64, 0xff), Buffer.from(comment)]), /not UTF-8/)
  signingRefused(Buffer.alloc(0), /not UTF-8 text/)
  assert.throws(() => signer.signFile({ blake2b512: Buffer.alloc(32) }, comment), { code: 'INTERNAL' })
  for (const bad of ['', 'a\nb', 'a\rb', 'é']) {
    assert.throws(() => signer.signFile(hashOf('x'), bad), { code: 'INTERNAL' }, JSON.stringify(bad))
  }
})

test('the hash of a stream is the hash of its bytes', async () => {
  const chunks = [Buffer.from('con'), Buffer.from('tent')]
  assert.deepEqual(await blake2b512Of(chunks), hashOf('content').blake2b512)
})
