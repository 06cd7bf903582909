import assert from 'node:assert/strict'
import { test } from 'node:test'
import { askedName, askedPlatform, askedTag, askedTarget, askedVersion } from './old-variables.ts'

const COMMIT = 'a'.repeat(40)
const OTHER = 'b'.repeat(40)
const version = (flag: string | undefined, env: Record<string, string>) => askedVersion(flag, env)?.version.value

test('a flag wins, then the tag, then the commit; an empty variable is none', () => {
  assert.equal(askedVersion(undefined, {}), null)
  assert.equal(version('v1', { DRONE_TAG: 'v2' }), 'v1')
  assert.equal(version(undefined, { CI_COMMIT_TAG: 'v2', CI_COMMIT_SHA: COMMIT }), 'v2')
  assert.equal(version(undefined, { CI_COMMIT_TAG: '', CI_COMMIT_SHA: COMMIT }), COMMIT)
  assert.equal(version(undefined, { DRONE_COMMIT: COMMIT }), COMMIT)
  assert.equal(askedVersion(undefined, { DRONE_TAG: 'v2', DRONE_COMMIT: COMMIT })?.commit?.value, COMMIT)
  assert.equal(askedVersion('v1', { DRONE_COMMIT: COMMIT })?.commit, null)
})

test('variables that agree are one; two that do not are both named', () => {
  assert.equal(version(undefined, { DRONE_TAG: 'v2', CI_COMMIT_TAG: 'v2' }), 'v2')
  const contradictions = [
    { DRONE_TAG: 'v1', CI_COMMIT_TAG: 'v2' },
    { DRONE_COMMIT: COMMIT, CI_COMMIT_SHA: OTHER },
  ]
  for (const env of contradictions)
    assert.throws(
      () => askedVersion(undefined, env),
      ({ code, message }: { code: string; message: string }) =>
        code === 'USAGE' && Object.entries(env).every(([name, value]) => message.includes(`${name} is "${value}"`)),
    )
  // Whoever says it with a flag has said it.
  assert.equal(version('v3', { DRONE_TAG: 'v1', CI_COMMIT_TAG: 'v2' }), 'v3')
  assert.throws(() => askedVersion(undefined, { DRONE_COMMIT: 'abc123' }), { code: 'USAGE', message: /full commit id/ })
})

test('platforms have the spellings of pipelines, and TARGET names one too', () => {
  const triple = (flag: string | undefined, env: Record<string, string>) => askedPlatform(flag, env).triple
  assert.equal(triple('linux/arm', {}), 'armv6l-unknown-linux-musleabihf')
  assert.equal(triple(undefined, { DOCKER_PLATFORM: 'linux/arm/v6' }), 'armv6l-unknown-linux-musleabihf')
  assert.equal(triple(undefined, { DOCKER_PLATFORM: 'linux/i386' }), 'i686-unknown-linux-musl')
  assert.equal(triple(undefined, { TARGET: 'aarch64-unknown-linux-musl' }), 'aarch64-unknown-linux-musl')
  const both = { TARGET: 'x86_64-unknown-linux-musl', DOCKER_PLATFORM: 'linux/amd64' }
  assert.equal(triple(undefined, both), 'x86_64-unknown-linux-musl')
  assert.equal(triple('linux/arm64', both), 'aarch64-unknown-linux-musl')
  assert.throws(() => triple(undefined, { ...both, DOCKER_PLATFORM: 'linux/386' }), {
    code: 'USAGE',
    message: /DOCKER_PLATFORM.*TARGET/,
  })
  // Only where it is exact: an image for ARMv7 is none for ARMv6.
  for (const [flag, env] of [
    ['linux/arm/v7', {}],
    [undefined, {}],
    [undefined, { TARGET: 'i386' }],
  ] as const)
    assert.throws(() => triple(flag, env), { code: 'USAGE' })
})

test('a container tag of another version than the variables name is a contradiction; a flag is a wish', () => {
  const said = { from: 'CI_COMMIT_TAG', value: 'v1.0+ci' }
  assert.equal(askedTag(undefined, { CONTAINER_TAG: 'v1.0--ci' }, said)?.value, 'v1.0--ci')
  assert.throws(() => askedTag(undefined, { CONTAINER_TAG: 'v1.1' }, said), /CONTAINER_TAG is "v1.1".*CI_COMMIT_TAG/)
  assert.equal(askedTag('try', { CONTAINER_TAG: 'v1.1' }, said)?.value, 'try')
  assert.equal(askedTag(undefined, { CONTAINER_TAG: 'try' }, { from: '--version', value: 'v1.0' })?.value, 'try')
  assert.equal(askedTag(undefined, {}, said), null)
})

test('target and name', () => {
  assert.deepEqual(askedTarget('a', { TARGET: 'b' }), { from: '--target', value: 'a' })
  assert.deepEqual(askedTarget(undefined, { TARGET: 'b' }), { from: 'TARGET', value: 'b' })
  assert.throws(() => askedTarget(undefined, { TARGET: '' }), { code: 'USAGE' })
  assert.equal(askedName(undefined, { CONTAINER_NAME: 'example/toy' })?.from, 'CONTAINER_NAME')
  assert.equal(askedName(undefined, {}), null)
})
