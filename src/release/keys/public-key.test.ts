import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { parsePublicKey, formsOf } from './public-key.ts'

const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString()
const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)
const forms = formsOf({ keyId: Buffer.from('0102030405060708', 'hex'), key: raw })

test('every form that people take a key in is the same key', () => {
  assert.equal(forms.keyId, '807060504030201')
  assert.equal(forms.pem, pem)
  assert.equal(forms.minisign, `untrusted comment: minisign public key 807060504030201\n${forms.line}\n`)
  for (const text of [forms.minisign, forms.line, `${forms.line}\n`]) {
    assert.deepEqual(parsePublicKey(text, 'k'), { keyId: Buffer.from('0102030405060708', 'hex'), key: raw })
  }
  for (const text of [pem, `\n${pem}\n`, pem.replaceAll('\n', '\r\n')]) {
    assert.deepEqual(parsePublicKey(text, 'k'), { keyId: null, key: raw })
  }
})

const keyRefused = (text: string, message: RegExp) =>
  assert.throws(() => parsePublicKey(text, 'k'), { code: 'KEY_INVALID', message })

test('what is no Ed25519 public key is refused', () => {
  keyRefused(privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(), /not one PUBLIC KEY/)
  keyRefused(pem + pem, /not one PUBLIC KEY/)
  keyRefused(
    generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'pem', type: 'spki' }).toString(),
    /for ec, not for Ed25519/,
  )
  keyRefused(pem.replace('MC', 'MD'), /cannot be read/)
  keyRefused(pem + ' '.repeat(20_000), /more than the 16384/)
  keyRefused('garage.pub', /not base64/)
})
