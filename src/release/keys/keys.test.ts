import assert from 'node:assert/strict'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { PitlaneError } from '../../errors.ts'
import { keyFiles } from './key-files.ts'
import { defaultKeyPath, generateKey, KEY_VARIABLE, loadSigningKey } from './keys.ts'
import { createSigner } from './sign.ts'

function random(bytes: number): Buffer {
  return Buffer.alloc(bytes, bytes)
}

async function homeOf(t: TestContext): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'pitlane-keys-'))
  t.after(() => rm(home, { recursive: true }))
  return home
}

test('a generated key is found again, by default and through the variable', async (t) => {
  const home = await homeOf(t)
  const env = { HOME: home }
  const generated = await generateKey('garage', env, keyFiles, random)
  assert.equal(generated.path, join(home, '.config', 'pitlane', 'garage.key'))
  const text = await readFile(generated.path, 'utf8')
  const loads = [
    env,
    { [KEY_VARIABLE]: text },
    { [KEY_VARIABLE]: text.split('\n')[1] },
    { [KEY_VARIABLE]: generated.path },
  ]
  for (const from of loads) {
    const { key } = await loadSigningKey('garage', from, keyFiles)
    assert.deepEqual(createSigner(key).publicKey, generated.publicKey)
  }
  assert.equal((await loadSigningKey('garage', { ...env, [KEY_VARIABLE]: ' \n' }, keyFiles)).from, generated.path)
  assert.equal((await loadSigningKey('garage', { [KEY_VARIABLE]: text }, keyFiles)).from, KEY_VARIABLE)
})

test('the key is for its owner only, and nothing else is left', async (t) => {
  const home = await homeOf(t)
  const mask = process.umask(0)
  t.after(() => process.umask(mask))
  const { path } = await generateKey('garage', { XDG_CONFIG_HOME: home }, keyFiles, random)
  assert.equal(path, join(home, 'pitlane', 'garage.key'))
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  assert.equal((await stat(join(home, 'pitlane'))).mode & 0o777, 0o700)
  assert.deepEqual(await readdir(join(home, 'pitlane')), ['garage.key'])
})

test('a key is never overwritten', async (t) => {
  const home = await homeOf(t)
  const { path } = await generateKey('garage', { HOME: home }, keyFiles, random)
  const before = await readFile(path, 'utf8')
  const again = generateKey('garage', { HOME: home }, keyFiles, () => Buffer.alloc(32, 9))
  await assert.rejects(again, { code: 'FILE_EXISTS', message: new RegExp(path) })
  assert.equal(await readFile(path, 'utf8'), before)
  await symlink(join(home, 'nowhere'), join(home, 'link.key'))
  const linked = generateKey('garage', {}, keyFiles, random, join(home, 'link.key'))
  await assert.rejects(linked, { code: 'FILE_EXISTS' })
  assert.deepEqual((await readdir(home)).sort(), ['.config', 'link.key'])
})

test('a folder in the place of the key is told as what it is, before anything else', async (t) => {
  const home = await homeOf(t)
  for (const folder of [home, '/'])
    await assert.rejects(generateKey('garage', {}, keyFiles, random, folder), {
      code: 'FILE_EXISTS',
      message: `${folder} is a folder, and a key is a file`,
    })
  assert.deepEqual(await readdir(home), [])
})

test('a key that others can read is refused with the command that helps', async (t) => {
  const home = await homeOf(t)
  const { path } = await generateKey('garage', { HOME: home }, keyFiles, random)
  for (const mode of [0o640, 0o604, 0o620, 0o601, 0o777]) {
    await chmod(path, mode)
    for (const env of [{ HOME: home }, { [KEY_VARIABLE]: path }]) {
      await assert.rejects(loadSigningKey('garage', env, keyFiles), (error: PitlaneError) => {
        assert.equal(error.code, 'KEY_INVALID')
        assert.equal(error.hint, `Run: chmod 600 ${path}`)
        return true
      })
    }
  }
  await chmod(path, 0o400)
  await loadSigningKey('garage', { HOME: home }, keyFiles)
})

test('no key says where it was looked for and how to make one', async (t) => {
  const home = await homeOf(t)
  await assert.rejects(loadSigningKey('garage', { HOME: home }, keyFiles), (error: PitlaneError) => {
    assert.equal(error.code, 'KEY_MISSING')
    assert.match(error.message, new RegExp(`PITLANE_SIGNING_KEY nor ${home}/.config/pitlane/garage.key`))
    assert.match(error.hint ?? '', /pitlane key generate/)
    return true
  })
  await assert.rejects(loadSigningKey('garage', {}, keyFiles), { code: 'KEY_MISSING', message: /no home directory/ })
  await assert.rejects(generateKey('garage', {}, keyFiles, random), { code: 'KEY_MISSING' })
})

test('a mistyped variable is refused and never told', async (t) => {
  const home = await homeOf(t)
  const { path } = await generateKey('garage', { HOME: home }, keyFiles, random)
  const secret = (await readFile(path, 'utf8')).split('\n')[1] ?? ''
  const mistyped = [
    secret.slice(0, -1),
    secret.slice(1),
    `${secret}\n${secret}`,
    `comment\n${secret}`,
    `x${secret}`,
    join(home, 'absent'),
  ]
  for (const value of mistyped) {
    await assert.rejects(
      loadSigningKey('garage', { HOME: home, [KEY_VARIABLE]: value }, keyFiles),
      (error: PitlaneError) => {
        assert.ok(error.code === 'KEY_MISSING' || error.code === 'KEY_INVALID', error.code)
        assert.ok(
          !`${error.message}${error.hint ?? ''}${String(error.cause)}`.includes(secret.slice(80, 120)),
          error.message,
        )
        return true
      },
    )
  }
})

test('what is no key file is an error, never "no key"', async (t) => {
  const home = await homeOf(t)
  const path = join(home, '.config', 'pitlane', 'garage.key')
  await mkdir(path, { recursive: true })
  await assert.rejects(loadSigningKey('garage', { HOME: home }, keyFiles), {
    code: 'KEY_INVALID',
    message: /not a regular file/,
  })
  await rm(path, { recursive: true })
  await writeFile(path, 'x'.repeat(20_000), { mode: 0o600 })
  await assert.rejects(loadSigningKey('garage', { HOME: home }, keyFiles), { code: 'KEY_INVALID', message: /too many/ })
  await writeFile(path, '')
  await assert.rejects(loadSigningKey('garage', { HOME: home }, keyFiles), { code: 'KEY_INVALID' })
  await rm(path)
  await symlink('garage.key', path)
  await assert.rejects(loadSigningKey('garage', { HOME: home }, keyFiles), { code: 'KEY_INVALID', message: /ELOOP/ })
  await writeFile(join(home, 'file'), '')
  await assert.rejects(generateKey('garage', {}, keyFiles, random, join(home, 'file', 'k')), { code: 'STORAGE_FAILED' })
})

test('the default place follows the XDG base directories and never leaves them', () => {
  assert.equal(defaultKeyPath('a', { HOME: '/h', XDG_CONFIG_HOME: '/x' }), '/x/pitlane/a.key')
  assert.equal(defaultKeyPath('a', { HOME: '/h', XDG_CONFIG_HOME: 'relative' }), '/h/.config/pitlane/a.key')
  assert.equal(defaultKeyPath('a', { HOME: '/h', XDG_CONFIG_HOME: '' }), '/h/.config/pitlane/a.key')
  assert.equal(defaultKeyPath('a', {}), null)
  for (const project of ['', '..', '../a', 'a/b', '.a', 'a\0', 'a'.repeat(129)]) {
    assert.throws(() => defaultKeyPath(project, { HOME: '/h' }), { code: 'KEY_INVALID' }, JSON.stringify(project))
  }
})
