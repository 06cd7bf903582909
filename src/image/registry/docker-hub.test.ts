// Docker Hub goes by several names: in addresses, in what `docker login` writes, and in what it answers.
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { systemClock } from '../../clock.ts'
import { parseRegistryAddress } from '../address.ts'
import { findCredentials } from './credentials.ts'
import type { HttpRequest } from './http.ts'
import { distributionRegistry } from './registry.ts'
import { Session } from './session.ts'

const PAIR = Buffer.from('me:se:cret').toString('base64')
const ADDRESSES = [
  'docker.io',
  'index.docker.io',
  'registry-1.docker.io',
  'https://docker.io',
  'Docker.io',
  'https://index.docker.io/v1/',
  'https://registry-1.docker.io/v2/',
]
const KEYS = [
  'https://index.docker.io/v1/',
  'https://index.docker.io/v1',
  'http://index.docker.io/v1/',
  'index.docker.io/v1/',
  'index.docker.io',
  'docker.io',
  'https://docker.io/',
  'registry-1.docker.io',
  'https://registry-1.docker.io/v2/',
  'Registry-1.Docker.io',
]

test('whatever it is called, the credentials are found: inline, in the file, and by its helper', async () => {
  const password = { kind: 'password', user: 'me', password: 'se:cret' }
  for (const address of ADDRESSES) {
    const { host } = parseRegistryAddress(address)
    for (const key of KEYS) {
      const config = JSON.stringify({ auths: { 'docker.example.org': { auth: 'AAAA' }, [key]: { auth: PAIR } } })
      const none = { readFile: async () => null, askHelper: async () => null }
      assert.deepEqual(await findCredentials(host, { ...none, env: { DOCKER_AUTH: config } }), password, key)
      const inFile = { ...none, env: { HOME: '/home/me' }, readFile: async () => config }
      assert.deepEqual(await findCredentials(host, inFile), password, key)
      // Of this registry and no other: helpers know it by its oldest name.
      const asked: string[] = []
      const helped = await findCredentials(host, {
        env: { HOME: '/home/me' },
        readFile: async () => JSON.stringify({ credHelpers: { [key]: 'test' } }),
        async askHelper(name, about) {
          asked.push(`${name} ${about}`)
          return { user: 'me', secret: 'se:cret' }
        },
      })
      assert.deepEqual([helped, asked], [password, ['test https://index.docker.io/v1/']], key)
    }
  }
})

test('names that only look like it get nothing', async () => {
  const env = { DOCKER_AUTH: JSON.stringify({ auths: { 'https://index.docker.io/v1/': { auth: PAIR } } }) }
  const sources = { env, readFile: async () => null, askHelper: async () => null }
  for (const address of ['docker.io.example.org', 'mydocker.io', 'index.docker.io:5000', 'auth.docker.io'])
    assert.equal(await findCredentials(parseRegistryAddress(address).host, sources), null, address)
})

test('requests go to its server, the login to its token service, and no password to the server', async () => {
  for (const address of ADDRESSES) {
    const asked: string[] = []
    const at = parseRegistryAddress(address)
    assert.deepEqual(at, { host: 'docker.io', origin: 'https://registry-1.docker.io', namespace: '' }, address)
    const session = new Session({
      address: at,
      clock: systemClock,
      credentials: { kind: 'password', user: 'me', password: 'se:cret' },
      async send({ url, headers }: HttpRequest) {
        const said = headers['authorization'] ?? 'nothing'
        asked.push(`${url.host}${url.pathname} ${said}`)
        const isService = url.host === 'auth.docker.io'
        const status = isService || said === 'Bearer abc' ? 200 : 401
        const realm = 'Bearer realm="https://auth.docker.io/token",service="registry.docker.io"'
        const body = isService ? { token: 'abc' } : { tags: ['v1'] }
        return {
          status,
          url,
          header: (name) => (name === 'www-authenticate' && status === 401 ? realm : null),
          body: Readable.from([Buffer.from(JSON.stringify(body))]),
        }
      },
    })
    assert.deepEqual(await distributionRegistry(at, session).listTags('me/toy'), ['v1'])
    assert.deepEqual(asked, [
      'registry-1.docker.io/v2/me/toy/tags/list nothing',
      `auth.docker.io/token Basic ${PAIR}`,
      'registry-1.docker.io/v2/me/toy/tags/list Bearer abc',
    ])
  }
})
