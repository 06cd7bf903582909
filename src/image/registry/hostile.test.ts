// What a registry may answer to harm whoever asks it.
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { systemClock } from '../../clock.ts'
import type { PitlaneError } from '../../errors.ts'
import { parseRegistryAddress } from '../address.ts'
import { parseChallenge } from './challenge.ts'
import type { HttpRequest } from './http.ts'
import { distributionRegistry } from './registry.ts'
import { Session } from './session.ts'

interface Said {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

/** @param answer to the nth request, counted from 1 */
function registryThat(answer: (nth: number, request: HttpRequest) => Said) {
  const asked: string[] = []
  const address = parseRegistryAddress('registry.example.org')
  const session = new Session({
    address,
    clock: systemClock,
    credentials: { kind: 'password', user: 'me', password: 'hunter2' },
    async send(request) {
      asked.push(request.url.href)
      const { status = 200, headers = {}, body = {} } = answer(asked.length, request)
      const bytes = Buffer.from(JSON.stringify(body))
      return { status, url: request.url, header: (name) => headers[name] ?? null, body: Readable.from([bytes]) }
    },
  })
  return { asked, registry: distributionRegistry(address, session) }
}

test('a list of tags leads nowhere but on, and not for ever', async () => {
  for (const next of [
    'file:///etc/passwd',
    'http://registry.example.org/v2/toy/tags/list',
    'https://127.0.0.1/v2/',
    'https://me:hunter2@example.org/',
    'https://[',
  ]) {
    const { asked, registry } = registryThat(() => ({
      headers: { link: `<${next}>; rel="next"` },
      body: { tags: ['a'] },
    }))
    await assert.rejects(registry.listTags('toy'), { code: 'FETCH_FAILED', message: /does not come to its end/ }, next)
    assert.equal(asked.length, 1)
  }
  const { asked, registry } = registryThat((nth) => ({
    headers: { link: `</v2/toy/tags/list?last=${nth}>; rel="next"` },
    body: { tags: [`t${nth}`] },
  }))
  await assert.rejects(registry.listTags('toy'), { code: 'FETCH_FAILED', message: /does not come to its end/ })
  assert.ok(asked.length <= 1001, `${asked.length}`)
})

test('what it was sent and says again is not told', async () => {
  const pair = Buffer.from('me:hunter2').toString('base64')
  for (const message of [`you sent Basic ${pair}`, 'hunter2 is wrong', `authorization=bearer ${pair}, hunter2`]) {
    const { registry } = registryThat((_, { headers }) =>
      headers['authorization'] === undefined
        ? { status: 401, headers: { 'www-authenticate': 'Basic realm="r"' } }
        : { status: 403, body: { errors: [{ code: 'DENIED', message }] } },
    )
    await assert.rejects(registry.listTags('toy'), ({ message: told }: PitlaneError) => {
      assert.match(told, /DENIED: /)
      assert.ok(!told.includes('hunter2') && !told.includes(pair), told)
      return true
    })
  }
})

test('of a challenge no more is looked at than one has', () => {
  const far = `Bearer ${' '.repeat(5000)}realm="https://tokens.example.org/"`
  assert.throws(() => parseChallenge(far, new URL('https://registry.example.org')), { message: /no token service/ })
})
