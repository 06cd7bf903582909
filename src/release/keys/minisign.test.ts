import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { PitlaneError } from '../../errors.ts'
import { privateKeyOf, rawPublicKey } from './ed25519.ts'
import {
  encodePublicKey,
  encodePublicKeyLine,
  encodeSecretKey,
  encodeSignature,
  formatKeyId,
  type MinisignSecretKey,
  parsePublicKeyText,
  parseSecretKey,
  parseSignature,
} from './minisign.ts'

/** A key pair and signatures of `hello\n` that minisign 0.11 made for this test, and that sign nothing else. */
const PUBLIC = 'RWSuvxC9nG7uhvE26nfnZs0V7rX/aXBYxxAkISlzYxaed/JvB4jPpwXf'
const SECRET =
  'RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAArr8QvZxu7obJs2R3ph24rIaSMPVkV6ZWSfmPtEJfpYBA/BEw6KRA6/E26nfnZs0V7rX/aXBYxxAkISlzYxaed/JvB4jPpwXfAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='
const SIGNATURE = `untrusted comment: signature from minisign secret key
RUSuvxC9nG7uhj+tQOsY4uOP/Wgfh6UUsbo3cmWiF1ORrdos44N7IrcJi7ZiY/akxma50OmPJ6LhjY9b62PxIQ2pMYd17xZA1wQ=
trusted comment: my trusted
6YK3+kdt3umGN5fqWZ9S4O9K86EelSWVxQFbNiR/E4yluBmc9+UoKRWf+hhxU+UnZ8wkx6Zu78L8VT1mVxIDCg==
`
const OLDER_SIGNATURE = `untrusted comment: signature from minisign secret key
RWSuvxC9nG7uhpx4TKv4xFWgNRV9Z6x3rU92EoBBbrgCH6d35ncWegWh1SV0sFngywYK2sTiygxeKZh/RynT3ZYm9QArXS33QgI=
trusted comment: timestamp:1795457306	file:f
m5hUn1SaEne4/nqqwcc7ljoRZSSbYJsXSk8bQ2KKYP+S0s3iaoT6+Ljox7tgvsK6VXXAYaIflCD1fkd1ZSVeDg==
`

const secretKey: fc.Arbitrary<MinisignSecretKey> = fc
  .record({ seed: bytes(32), keyId: bytes(8) })
  .map(({ seed, keyId }) => ({ seed, keyId, key: rawPublicKey(privateKeyOf(seed)) }))

function bytes(length: number): fc.Arbitrary<Buffer> {
  return fc.uint8Array({ minLength: length, maxLength: length }).map((array) => Buffer.from(array))
}

test('a key id is written as minisign writes it: a number, so without leading zeros', () => {
  assert.equal(formatKeyId(Buffer.from('7c9e35de12dccd04', 'hex')), '4CDDC12DE359E7C')
  assert.equal(formatKeyId(Buffer.alloc(8)), '0')
})

test("minisign's own files are read", () => {
  const key = parseSecretKey(`untrusted comment: minisign encrypted secret key\n${SECRET}\n`, 'k')
  assert.equal(formatKeyId(key.keyId), '86EE6E9CBD10BFAE')
  assert.equal(encodePublicKeyLine(key), PUBLIC)
  assert.deepEqual(parsePublicKeyText(PUBLIC, 'k'), { keyId: key.keyId, key: key.key })
  const { trustedComment, keyId } = parseSignature(SIGNATURE, 's')
  assert.deepEqual([trustedComment, formatKeyId(keyId)], ['my trusted', '86EE6E9CBD10BFAE'])
})

test('what is written is what minisign writes', () => {
  const key = parseSecretKey(SECRET, 'k')
  assert.equal(encodeSecretKey(key), `untrusted comment: minisign encrypted secret key\n${SECRET}\n`)
  assert.equal(encodePublicKey(key), `untrusted comment: minisign public key 86EE6E9CBD10BFAE\n${PUBLIC}\n`)
  const signature = encodeSignature(parseSignature(SIGNATURE, 's'))
  assert.deepEqual(signature.split('\n').slice(1), SIGNATURE.split('\n').slice(1))
})

test('reading gives back what was written', () => {
  fc.assert(
    fc.property(secretKey, fc.boolean(), (key, windows) => {
      const ends = (text: string) => (windows ? text.replaceAll('\n', '\r\n') : text)
      assert.deepEqual(parseSecretKey(ends(encodeSecretKey(key)), 'k'), key)
      assert.deepEqual(parsePublicKeyText(ends(encodePublicKey(key)), 'k'), { keyId: key.keyId, key: key.key })
    }),
    { numRuns: 30 },
  )
  const text = fc.stringMatching(/^[\x20-\x7e]{0,200}$/)
  fc.assert(
    fc.property(bytes(8), bytes(64), bytes(64), text, (keyId, signature, globalSignature, trustedComment) => {
      const parts = { keyId, signature, globalSignature, trustedComment }
      assert.deepEqual(parseSignature(encodeSignature(parts), 's'), parts)
    }),
  )
})

test('random text is an error with a place, never a crash and never a key', () => {
  const line = fc.oneof(
    fc.string(),
    fc.base64String(),
    fc.constantFrom('untrusted comment: x', 'trusted comment: x', PUBLIC, SECRET, ''),
    fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array).toString('base64')),
  )
  const known = new Set([PUBLIC, SECRET, SIGNATURE])
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 6 }).map((lines) => lines.join('\n')),
      (text) => {
        for (const parse of [parsePublicKeyText, parseSecretKey, parseSignature]) {
          try {
            parse(text, 'file')
            assert.ok(
              [...known].some((good) => text.includes(good)),
              text,
            )
          } catch (error) {
            assert.ok(error instanceof PitlaneError, String(error))
            assert.ok(error.code === 'KEY_INVALID' || error.code === 'VERIFICATION_FAILED')
            assert.match(error.message, /^file(, line \d+)?: /)
          }
        }
      },
    ),
    { numRuns: 500 },
  )
})

test('no changed character of a signature or key line goes unnoticed', () => {
  const position = fc.nat({ max: PUBLIC.length - 1 })
  fc.assert(
    fc.property(position, fc.stringMatching(/^[\x20-\x7e]$/), (at, character) => {
      fc.pre(PUBLIC[at] !== character)
      const changed = PUBLIC.slice(0, at) + character + PUBLIC.slice(at + 1)
      try {
        assert.notEqual(encodePublicKeyLine(parsePublicKeyText(changed, 'k')), PUBLIC)
      } catch (error) {
        assert.ok(error instanceof PitlaneError, String(error))
      }
    }),
  )
})

const changedSecret = (offset: number, value: number) => {
  const copy = Buffer.from(SECRET, 'base64')
  copy[offset] = value
  return copy.toString('base64')
}

const keyRefused = (read: () => unknown, message: RegExp) => assert.throws(read, { code: 'KEY_INVALID', message })

test('each way of being no key says which and where', () => {
  keyRefused(() => parsePublicKeyText('', 'k'), /k, line 1: a public key has 1 lines, this has 0/)
  keyRefused(() => parsePublicKeyText('untrusted comment: x\n', 'k'), /k, line 1: a public key has 2 lines, this has 1/)
  keyRefused(() => parsePublicKeyText(`untrusted comment: x\n${PUBLIC}\n\n`, 'k'), /this has 3/)
  keyRefused(() => parsePublicKeyText(`untrusted comment: x\n ${PUBLIC}`, 'k'), /k, line 2: the line is not base64/)
  keyRefused(() => parsePublicKeyText(PUBLIC.slice(4), 'k'), /a public key has 42 bytes, this has 39/)
  keyRefused(() => parsePublicKeyText(`Q${PUBLIC.slice(1)}`, 'k'), /not for Ed25519/)
  keyRefused(() => parsePublicKeyText(SECRET, 'k'), /this is a secret key, not a public one/)
  keyRefused(() => parseSecretKey(PUBLIC, 'k'), /this is a public key, not a secret one/)
  keyRefused(() => parseSecretKey('x'.repeat(20_000), 'k'), /more than the 16384 that are read/)
  keyRefused(() => parseSecretKey(changedSecret(2, 0x58), 'k'), /the key derivation is not known/)
  keyRefused(() => parseSecretKey(changedSecret(4, 0x58), 'k'), /the checksum algorithm is not known/)
  keyRefused(() => parseSecretKey(changedSecret(70, 0x58), 'k'), /do not belong together/)
  keyRefused(() => parseSecretKey(changedSecret(100, 0x58), 'k'), /do not belong together/)
})

test('a secret key never appears in an error', () => {
  const copy = Buffer.from(SECRET, 'base64')
  copy[100] = (copy[100] ?? 0) ^ 1
  for (const text of [copy.toString('base64'), SECRET.slice(0, -1), `${SECRET}\n${SECRET}`, ` ${SECRET}`]) {
    assert.throws(
      () => parseSecretKey(text, 'k'),
      (error: PitlaneError) =>
        !`${error.message}${error.hint ?? ''}${String(error.cause)}`.includes(SECRET.slice(90, 110)),
    )
  }
})

test('a key with a password is refused with the way out', () => {
  const copy = Buffer.from(SECRET, 'base64')
  copy.write('Sc', 2, 'latin1')
  assert.throws(
    () => parseSecretKey(copy.toString('base64'), 'k'),
    (error: PitlaneError) => {
      assert.equal(error.code, 'KEY_INVALID')
      assert.match(error.message, /protected by a password/)
      assert.match(error.hint ?? '', /minisign -C -W/)
      return true
    },
  )
})

const signatureRefused = (text: string, message: RegExp) =>
  assert.throws(() => parseSignature(text, 's'), { code: 'VERIFICATION_FAILED', message })

test('each way of being no signature says which and where', () => {
  const lines = SIGNATURE.split('\n')
  const withLine = (number: number, text: string) => lines.with(number - 1, text).join('\n')
  signatureRefused(OLDER_SIGNATURE, /s, line 2: the signature has the older form/)
  signatureRefused('', /a signature has 4 lines, this has 0/)
  signatureRefused(lines.slice(0, 3).join('\n'), /a signature has 4 lines, this has 3/)
  signatureRefused(`${SIGNATURE}x`, /this has 5/)
  signatureRefused(withLine(1, 'comment'), /line 1: the line does not begin with "untrusted comment:"/)
  signatureRefused(withLine(2, 'RUSu'), /line 2: a signature has 74 bytes, this has 3/)
  signatureRefused(withLine(2, lines[3] ?? ''), /line 2: a signature has 74 bytes/)
  signatureRefused(withLine(2, `Q${lines[1]?.slice(1)}`), /line 2: the signature algorithm is not known/)
  signatureRefused(withLine(3, 'untrusted comment: x'), /line 3: the line does not begin with "trusted comment: "/)
  signatureRefused(withLine(4, 'AAAA'), /line 4: .* has 64 bytes, this has 3/)
  signatureRefused(withLine(4, `${lines[3]?.slice(0, -2)}`), /line 4: the line is not base64/)
  signatureRefused(`${SIGNATURE}${' '.repeat(20_000)}`, /more than the 16384/)
})
