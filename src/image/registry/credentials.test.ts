import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { Readable } from 'node:stream'
import { join } from 'node:path'
import { test } from 'node:test'
import { PitlaneError } from '../../errors.ts'
import { machineCredentials } from './credential-sources.ts'
import { type CredentialSources, findCredentials, lacksEntry } from './credentials.ts'
import { systemClock } from '../../clock.ts'
import { parseRegistryAddress } from '../address.ts'
import { examineRegistry } from './examine.ts'
import type { HttpRequest } from './http.ts'
import { Session } from './session.ts'

const pair = (text: string) => Buffer.from(text).toString('base64')
const found = { kind: 'password', user: 'me', password: 'se:cret' } as const

function from(config: unknown): CredentialSources {
  return {
    env: { DOCKER_AUTH: typeof config === 'string' ? config : JSON.stringify(config) },
    readFile: async () => null,
    askHelper: async () => null,
  }
}

test('every spelling of a host finds its entry', async () => {
  for (const key of [
    'r.example.org:5000',
    'https://r.example.org:5000',
    'http://r.example.org:5000/',
    'https://r.example.org:5000/v2/',
    'R.Example.org:5000',
  ])
    assert.deepEqual(
      await findCredentials('r.example.org:5000', from({ auths: { [key]: { auth: pair('me:se:cret') } } })),
      found,
      key,
    )
  for (const key of ['https://index.docker.io/v1/', 'docker.io', 'registry-1.docker.io', 'index.docker.io'])
    assert.deepEqual(
      await findCredentials('docker.io', from({ auths: { [key]: { auth: pair('me:se:cret') } } })),
      found,
      key,
    )
  for (const key of ['r.example.org', 'r.example.org:5001', 'evil.example.org:5000', 'example.org:5000'])
    assert.equal(
      await findCredentials('r.example.org:5000', from({ auths: { [key]: { auth: pair('me:se:cret') } } })),
      null,
      key,
    )
})

test('every form of an entry', async () => {
  const entries: readonly (readonly [entry: object, expected: unknown])[] = [
    [{ auth: pair('me:se:cret') }, found],
    [{ username: 'me', password: 'se:cret' }, found],
    [{ auth: pair('me:se:cret\0\0') }, found],
    [
      { identitytoken: 'refresh', auth: pair('me:x') },
      { kind: 'identity-token', token: 'refresh' },
    ],
    [{ registrytoken: 'bearer' }, { kind: 'registry-token', token: 'bearer' }],
    [{}, null],
    [{ auth: '' }, null],
  ]
  for (const [entry, expected] of entries)
    assert.deepEqual(
      await findCredentials('r.org', from({ auths: { 'r.org': entry } })),
      expected,
      JSON.stringify(entry),
    )
  assert.equal(await findCredentials('r.org', from({})), null)
})

test('what can not be read is told, without a word of it', async () => {
  for (const config of [
    '{hunter2',
    '"hunter2"',
    '["hunter2"]',
    JSON.stringify({ auths: { 'r.org': { auth: pair('hunter2') } } }),
    JSON.stringify({ credsStore: '../hunter2' }),
  ])
    await assert.rejects(findCredentials('r.org', from(config)), (error) => {
      assert.ok(error instanceof PitlaneError && error.code === 'CONFIG_INVALID', String(error))
      assert.match(error.message, /DOCKER_AUTH/)
      assert.doesNotMatch(`${error.message} ${error.hint}`, /hunter2/)
      return true
    })
})

test('a real file and a real helper', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pitlane-credentials-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  mkdirSync(join(folder, '.docker'))
  const config = (value: unknown) => writeFileSync(join(folder, '.docker', 'config.json'), JSON.stringify(value))
  const helper = (script: string) => {
    writeFileSync(join(bin, 'docker-credential-test'), `#!/bin/sh\n${script}\n`)
    chmodSync(join(bin, 'docker-credential-test'), 0o755)
  }
  const sources = machineCredentials({ HOME: folder, PATH: `${bin}:/usr/bin:/bin` })

  assert.equal(await findCredentials('r.org', sources), null)
  config({ auths: { 'r.org': { auth: pair('me:se:cret') } } })
  assert.deepEqual(await findCredentials('r.org', sources), found)

  config({ credHelpers: { 'r.org': 'test' }, auths: { 'other.org': { auth: pair('me:se:cret') } } })
  helper(`[ "$1" = get ] && read -r host; echo "{\\"Username\\":\\"me\\",\\"Secret\\":\\"for $host\\"}"`)
  assert.deepEqual(await findCredentials('r.org', sources), { kind: 'password', user: 'me', password: 'for r.org' })
  assert.deepEqual(await findCredentials('other.org', sources), found)
  config({ credsStore: 'test' })
  assert.deepEqual(await findCredentials('docker.io', sources), {
    kind: 'password',
    user: 'me',
    password: 'for https://index.docker.io/v1/',
  })
  helper(`echo '{"Username":"<token>","Secret":"refresh"}'`)
  assert.deepEqual(await findCredentials('r.org', sources), { kind: 'identity-token', token: 'refresh' })
  helper('echo credentials not found in native keychain; exit 1')
  assert.equal(await findCredentials('r.org', sources), null)
  for (const broken of ['exit 3', 'echo hunter2', 'kill -9 $$']) {
    helper(broken)
    await assert.rejects(
      findCredentials('r.org', sources),
      (error) => error instanceof PitlaneError && !error.message.includes('hunter2'),
    )
  }
  helper('exec yes hunter2')
  await assert.rejects(findCredentials('r.org', sources), { message: /test does not come to the end of its answer$/ })
  const hurried = machineCredentials({ HOME: folder, PATH: `${bin}:/usr/bin:/bin` }, 100)
  // The second one is gone, and what it left behind has its output.
  for (const hanging of ["trap '' TERM; sleep 20", `sleep 20 & echo '{"Username":"me","Secret":"hunter2"}'`]) {
    helper(hanging)
    await assert.rejects(findCredentials('r.org', hurried), { message: /test did not end within 0.1 s$/ })
  }
  config({ credsStore: 'absent' })
  await assert.rejects(findCredentials('r.org', sources), {
    code: 'CONFIG_INVALID',
    message: /docker-credential-absent can't be run: ENOENT/,
  })
})

test('a DOCKER_AUTH that says nothing of the registry is told, and none of its words', async () => {
  const env = (value: unknown) => ({ DOCKER_AUTH: typeof value === 'string' ? value : JSON.stringify(value) })
  const other = { auths: { 'other.example.org': { auth: pair('me:secret') } } }
  assert.equal(lacksEntry('r.example.org', env(other)), true)
  for (const fits of [
    { auths: { 'https://r.example.org/v1/': { auth: pair('me:secret') } } },
    { credHelpers: { 'r.example.org': 'x' } },
    { credsStore: 'x' },
    '',
    ' ',
  ])
    assert.equal(lacksEntry('r.example.org', env(fits)), false)
  assert.equal(lacksEntry('r.example.org', {}), false)
  assert.equal(lacksEntry('docker.io', env({ auths: { 'https://index.docker.io/v1/': {} } })), false)
  const answer = async (request: HttpRequest) => ({
    status: request.url.pathname === '/v2/' ? 200 : 403,
    url: request.url,
    header: () => null,
    body: Readable.from([Buffer.from('{}')]),
  })
  const address = parseRegistryAddress('r.example.org')
  const session = new Session({ address, send: answer, clock: systemClock, credentials: null, lacksEntry: true })
  await assert.rejects(session.ask({ method: 'GET', to: 'toy/tags/list', scope: '', expect: [200] }), {
    code: 'REGISTRY_DENIED',
    hint: 'DOCKER_AUTH is set, and has no entry for r.example.org: add one to its "auths", or log in with docker login r.example.org.',
  })
  const told = []
  for await (const { what, result, detail } of examineRegistry(session, { address, repository: 'toy' }))
    told.push([what, result, detail])
  assert.deepEqual(told[0], ['login', 'weak', 'DOCKER_AUTH is set, and has no entry for r.example.org'])
})
