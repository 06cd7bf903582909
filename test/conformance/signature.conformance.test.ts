// Keys and signatures against minisign itself, both ways: what it makes, we accept, and what we make, it accepts.
// Debian: minisign.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { encodePublicKey, encodeSecretKey, parseSecretKey } from '../../src/release/keys/minisign.ts'
import { formsOf, parsePublicKey } from '../../src/release/keys/public-key.ts'
import { createSigner } from '../../src/release/keys/sign.ts'
import { verifyFile } from '../../src/release/keys/verify-signature.ts'

const absent = spawnSync('minisign', ['-v']).error !== undefined ? 'minisign is not installed' : false
const COMMENT = 'pitlane toy v1.0.0 file:_releases/v1.0.0/SHA256SUMS'
const CONTENT = Buffer.from('what is signed\n'.repeat(1000))
let folder = ''

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'pitlane-signature-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'file'), CONTENT)
})

function minisign(...args: string[]): { status: number | null; text: string } {
  const { status, stdout, stderr } = spawnSync('minisign', args, { cwd: folder, encoding: 'utf8' })
  return { status, text: stdout + stderr }
}

const digests = () => ({ blake2b512: createHash('blake2b512').update(CONTENT).digest() })

test('a key that minisign made signs here, and minisign verifies it', { skip: absent }, () => {
  assert.equal(minisign('-G', '-W', '-f', '-p', 'theirs.pub', '-s', 'theirs.key').status, 0)
  const secret = parseSecretKey(readFileSync(join(folder, 'theirs.key'), 'utf8'), 'theirs.key')
  const signer = createSigner(secret)
  assert.match(readFileSync(join(folder, 'theirs.pub'), 'utf8'), new RegExp(signer.keyId))
  writeFileSync(join(folder, 'file.minisig'), signer.signFile(digests(), COMMENT))
  const good = minisign('-Vm', 'file', '-p', 'theirs.pub')
  assert.equal(good.status, 0, good.text)
  assert.match(good.text, new RegExp(`Trusted comment: ${COMMENT}`))
  writeFileSync(join(folder, 'file.minisig'), signer.signFile(digests(), COMMENT).replace('v1.0.0', 'v9.0.0'))
  assert.notEqual(minisign('-Vm', 'file', '-p', 'theirs.pub').status, 0)
})

test('a key that we made signs with minisign, and we verify it', { skip: absent }, () => {
  const ours = parseSecretKey(encodeSecretKey(generated()), 'ours')
  writeFileSync(join(folder, 'ours.key'), encodeSecretKey(ours), { mode: 0o600 })
  writeFileSync(join(folder, 'ours.pub'), encodePublicKey(ours))
  const signed = minisign('-S', '-m', 'file', '-s', 'ours.key', '-t', COMMENT, '-x', 'made.minisig')
  assert.equal(signed.status, 0, signed.text)
  const text = readFileSync(join(folder, 'made.minisig'), 'utf8')
  const key = parsePublicKey(formsOf(ours).line, 'ours')
  assert.equal(verifyFile(key, digests(), text, COMMENT, 'made.minisig'), COMMENT)
  assert.throws(() => verifyFile(key, digests(), text, 'pitlane toy v2.0.0 file:x', 'made.minisig'), /was signed as/)
  const other = { blake2b512: createHash('blake2b512').update('other').digest() }
  assert.throws(() => verifyFile(key, other, text, COMMENT, 'made.minisig'), /not one of this file/)
})

test('the same key and file give the same bytes here and there', { skip: absent }, () => {
  const ours = generated()
  writeFileSync(join(folder, 'same.key'), encodeSecretKey(ours), { mode: 0o600 })
  assert.equal(minisign('-S', '-m', 'file', '-s', 'same.key', '-t', COMMENT, '-x', 'same.minisig').status, 0)
  const lines = (text: string) => text.split('\n').slice(1)
  assert.deepEqual(
    lines(createSigner(ours).signFile(digests(), COMMENT)),
    lines(readFileSync(join(folder, 'same.minisig'), 'utf8')),
  )
})

test('minisign computes the same public key from our secret one', { skip: absent }, () => {
  // One key in sixteen begins with a zero, which minisign does not print.
  const ours = { ...generated(), keyId: Buffer.from('7c9e35de12dccd04', 'hex') }
  writeFileSync(join(folder, 'again.key'), encodeSecretKey(ours), { mode: 0o600 })
  const recreated = minisign('-R', '-s', 'again.key', '-p', 'again.pub')
  assert.equal(recreated.status, 0, recreated.text)
  assert.equal(readFileSync(join(folder, 'again.pub'), 'utf8'), encodePublicKey(ours))
})

test("minisign's older signatures are refused in words, though they are good", { skip: absent }, () => {
  assert.equal(minisign('-G', '-W', '-f', '-p', 'older.pub', '-s', 'older.key').status, 0)
  assert.equal(minisign('-S', '-l', '-m', 'file', '-s', 'older.key', '-x', 'older.minisig').status, 0)
  assert.equal(minisign('-V', '-m', 'file', '-p', 'older.pub', '-x', 'older.minisig').status, 0)
  const key = parsePublicKey(readFileSync(join(folder, 'older.pub'), 'utf8'), 'older.pub')
  const text = readFileSync(join(folder, 'older.minisig'), 'utf8')
  assert.throws(() => verifyFile(key, digests(), text, null, 'older.minisig'), {
    code: 'VERIFICATION_FAILED',
    message: /line 2: the signature has the older form/,
  })
})

test('a key with a password is refused until minisign has taken it off, as the hint says', { skip: absent }, () => {
  const run = (input: string, ...args: string[]) =>
    spawnSync('minisign', args, { cwd: folder, encoding: 'utf8', input, timeout: 60_000 })
  assert.equal(run('secret\nsecret\n', '-G', '-f', '-p', 'locked.pub', '-s', 'locked.key').status, 0)
  const locked = () => parseSecretKey(readFileSync(join(folder, 'locked.key'), 'utf8'), 'locked.key')
  assert.throws(locked, { code: 'KEY_INVALID', message: /protected by a password/ })
  const opened = run('secret\n', '-C', '-W', '-s', 'locked.key')
  assert.equal(opened.status, 0, opened.stderr)
  assert.equal(encodePublicKey(locked()), readFileSync(join(folder, 'locked.pub'), 'utf8'))
})

/** As `key generate` makes it, from bytes that minisign made: no randomness of our own is needed. */
function generated() {
  minisign('-G', '-W', '-f', '-p', 'seed.pub', '-s', 'seed.key')
  return parseSecretKey(readFileSync(join(folder, 'seed.key'), 'utf8'), 'seed.key')
}
