import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { PitlaneError } from '../../errors.ts'
import { isRegistryAddress, parseRegistryAddress } from '../address.ts'
import { parseChallenge } from './challenge.ts'

const REGISTRY = new URL('https://registry.example.org')

test('what a registry asks for', () => {
  assert.deepEqual(parseChallenge('Basic realm="x"', REGISTRY), { scheme: 'basic' })
  const hub = 'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull"'
  assert.deepEqual(parseChallenge(hub, REGISTRY), {
    scheme: 'bearer',
    realm: new URL('https://auth.docker.io/token'),
    service: 'registry.docker.io',
  })
  assert.deepEqual(parseChallenge('bearer Service = plain , realm = "https://a.org/t?x=\\"1\\""', REGISTRY), {
    scheme: 'bearer',
    realm: new URL('https://a.org/t?x="1"'),
    service: 'plain',
  })
  const local = new URL('http://127.0.0.1:5000')
  assert.equal(parseChallenge('Bearer realm="http://127.0.0.1:5001/token"', local).scheme, 'bearer')
})

test('where credentials must not go', () => {
  for (const header of [
    null,
    '',
    'Negotiate',
    'Digest realm="x"',
    'Bearer',
    'Bearer realm="nowhere"',
    'Bearer realm="http://auth.example.org/token"',
    'Bearer realm="ftp://auth.example.org/token"',
    'Bearer realm="file:///etc/passwd"',
    'Bearer realm="https://localhost/token"',
    'Bearer realm="https://127.0.0.1:8080/token"',
    'Bearer realm="https://[::1]/token"',
    'Bearer realm="https://user:password@auth.example.org/token"',
  ])
    assert.throws(() => parseChallenge(header, REGISTRY), { code: 'FETCH_FAILED' }, String(header))
})

test('any header is understood or refused', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (header) => {
      try {
        parseChallenge(`Bearer ${header}`, REGISTRY)
      } catch (error) {
        assert.ok(error instanceof PitlaneError)
      }
    }),
  )
})

test('addresses of registries, and folders', () => {
  const hub = { host: 'docker.io', origin: 'https://registry-1.docker.io' }
  const rows: readonly (readonly [string, object])[] = [
    ['docker.io', { ...hub, namespace: '' }],
    ['index.docker.io/dxflrs', { ...hub, namespace: 'dxflrs/' }],
    [
      'registry.example.org:5000/a/b/',
      { host: 'registry.example.org:5000', origin: 'https://registry.example.org:5000', namespace: 'a/b/' },
    ],
    ['http://registry.lan', { host: 'registry.lan', origin: 'http://registry.lan', namespace: '' }],
    ['localhost:5000', { host: 'localhost:5000', origin: 'http://localhost:5000', namespace: '' }],
    ['https://127.0.0.1:5000', { host: '127.0.0.1:5000', origin: 'https://127.0.0.1:5000', namespace: '' }],
  ]
  for (const [location, expected] of rows) {
    assert.deepEqual(parseRegistryAddress(location), expected, location)
    assert.equal(isRegistryAddress(location), true, location)
  }
  for (const folder of [
    'images',
    './images',
    '../images',
    '/var/images',
    'images/docker.io',
    './docker.io',
    '.images',
    'a b.c/d',
    '..',
  ])
    assert.equal(isRegistryAddress(folder), false, folder)
  for (const bad of ['docker.io/UPPER', 'https://', 'a_b.org', 'me:hunter2@docker.io', `${'a'.repeat(600)}.org`])
    assert.throws(
      () => parseRegistryAddress(bad),
      (error) => error instanceof PitlaneError && error.code === 'CONFIG_INVALID' && !error.message.includes('hunter2'),
      bad,
    )
})
