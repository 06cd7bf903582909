// What `pitlane release` published, in the hands of the programs that strangers check and run it with.
// Debian: coreutils minisign openssl skopeo podman runc dash busybox-static curl.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test, type TestContext } from 'node:test'
import { KEYS } from '../../src/plan/keys.ts'
import { TARGETS } from '../../src/plan/targets.ts'
import type { BuiltDocument } from '../../src/release/document.ts'
import { podmanSettings } from './peers/podman.ts'
import { absentPrograms, runProgram, succeed } from '../world/program.ts'
import { type Published, publishWorld } from '../world/published.ts'

function lacks(t: TestContext, ...programs: readonly string[]): boolean {
  const absent = absentPrograms(...programs)
  if (absent.length > 0) t.skip(`not installed: ${absent.join(', ')}`)
  return absent.length > 0
}

let world: Published
before(async () => (world = await publishWorld()))
after(() => world?.close())

const versions = () => [...world.stable, world.development]
const inBucket = (key: string) => join(world.bucket, key)
const documentOf = (version: string) =>
  JSON.parse(readFileSync(inBucket(KEYS.document(version)), 'utf8')) as BuiltDocument
/** Signed documents below `_releases/`. */
const documents = () => [
  ...versions().flatMap((version) => [`${version}/SHA256SUMS`, `${version}/release.json`]),
  ...world.stable.map((version) => `${version}/documentation.json`),
  '_documentation.json',
  '_documentation.next.json',
  'index.json',
]
/** A new empty folder, removed with the world. */
const emptyFolder = (name: string) => mkdtempSync(join(world.root, `${name}-`))

test('sha256sum: the whole list, and the file beside each binary', async (t) => {
  if (lacks(t, 'sha256sum')) return
  for (const version of versions()) {
    const folder = inBucket(KEYS.folder(version))
    const said = await succeed('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: folder })
    const listed = documentOf(version).files.map(({ target, name }) => `${target}/${name}: OK`)
    for (const line of listed) assert.ok(said.split('\n').includes(line), `${line} in\n${said}`)
    assert.equal(listed.length, TARGETS.length)
    for (const { target, name } of documentOf(version).files) {
      await succeed('sha256sum', ['--check', '--strict', `${name}.sha256`], { cwd: join(folder, target) })
    }
  }
})

test('minisign: with the published key, every signature there is; one changed byte is refused', async (t) => {
  if (lacks(t, 'minisign')) return
  const key = inBucket(KEYS.publicKey)
  const signed = readdirSync(inBucket(KEYS.releases), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.minisig'))
    .map((path) => path.slice(0, -'.minisig'.length))
  const binaries = versions().flatMap((version) => TARGETS.map(({ triple }) => `${version}/${triple}/toy`))
  assert.deepEqual(signed.toSorted(), [...documents(), ...binaries].toSorted())
  for (const path of signed) {
    const file = inBucket(`${KEYS.releases}${path}`)
    const said = await succeed('minisign', ['-Vm', file, '-p', key])
    assert.match(said, /^Signature and comment signature verified\nTrusted comment: .+/)
    const [version] = path.split('/')
    assert.ok(said.includes(path.includes('/') ? ` ${version} ` : ' serial-'), said)
  }
  const folder = emptyFolder('minisign')
  for (const path of signed.slice(0, 4)) {
    const bytes = readFileSync(inBucket(`${KEYS.releases}${path}`))
    bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1)
    writeFileSync(join(folder, 'file'), bytes)
    const signature = inBucket(`${KEYS.releases}${path}.minisig`)
    const outcome = await runProgram('minisign', ['-Vm', join(folder, 'file'), '-x', signature, '-p', key])
    assert.notEqual(outcome.status, 0, path)
  }
})

test('openssl: the plain signature beside each document, with the published PEM', async (t) => {
  if (lacks(t, 'openssl')) return
  const signed = readdirSync(inBucket(KEYS.releases), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.sig'))
    .map((path) => inBucket(`${KEYS.releases}${path.slice(0, -'.sig'.length)}`))
  assert.equal(signed.length, documents().length)
  const verify = (file: string, signature: string) =>
    runProgram(
      'openssl',
      ['pkeyutl', '-verify', '-pubin', '-inkey', inBucket(KEYS.publicKeyPem), '-rawin', '-in', file].concat(
        '-sigfile',
        signature,
      ),
    )
  for (const file of signed) {
    const { status, stdout, stderr } = await verify(file, `${file}.sig`)
    assert.equal(status, 0, stderr)
    assert.match(stdout, /Signature Verified Successfully/)
    // What the site holds and what was announced of it last are the same.
    const other = signed.find((one) => !readFileSync(one).equals(readFileSync(file))) ?? ''
    assert.notEqual((await verify(other, `${file}.sig`)).status, 0)
  }
})

test('skopeo: every platform is inspected and copied, digest by digest', async (t) => {
  if (lacks(t, 'skopeo')) return
  const [, version = ''] = world.stable
  const image = documentOf(version).image ?? assert.fail('no image')
  const from = `oci:${world.images}:${image.repository}:${image.tag}`
  const raw = await succeed('skopeo', ['inspect', '--raw', from])
  const { manifests } = JSON.parse(raw) as { manifests: { digest: string; platform: Record<string, string> }[] }
  assert.deepEqual(
    manifests.map(({ digest, platform }) => ({
      platform: [platform['os'], platform['architecture'], platform['variant']].filter(Boolean).join('/'),
      digest,
    })),
    image.platforms.map(({ platform, digest }) => ({ platform, digest })),
  )
  assert.deepEqual(image.platforms.map(({ platform }) => platform).toSorted(), [
    'linux/386',
    'linux/amd64',
    'linux/arm/v6',
    'linux/arm64',
  ])
  for (const { platform } of image.platforms) {
    const [os = '', arch = '', variant] = platform.split('/')
    const choice = ['--override-os', os, '--override-arch', arch, ...(variant ? ['--override-variant', variant] : [])]
    const config = JSON.parse(await succeed('skopeo', [...choice, 'inspect', '--config', from])) as {
      architecture: string
      variant?: string
      config: { Cmd: string[] }
    }
    assert.deepEqual([config.architecture, config.variant, config.config.Cmd], [arch, variant, ['/toy']])
    const folder = emptyFolder('skopeo')
    await succeed('skopeo', [...choice, '--insecure-policy', 'copy', '--quiet', from, `dir:${folder}`])
    const layers = await succeed('skopeo', ['inspect', '--format', '{{len .Layers}}', `dir:${folder}`])
    assert.equal(layers.trim(), '1')
  }
  // Everything at once: the copy is the same image to the byte.
  const copy = `oci:${emptyFolder('skopeo-all')}:copy`
  await succeed('skopeo', ['--insecure-policy', 'copy', '--quiet', '--all', '--preserve-digests', from, copy])
  assert.equal(await succeed('skopeo', ['inspect', '--raw', copy]), raw)
})

test('podman: pulls every platform, and runs those that this machine executes', async (t) => {
  if (lacks(t, 'podman', 'runc', 'skopeo')) return
  if (process.getuid?.() !== 0) return t.skip('podman needs subordinate ids unless it runs as root')
  // podman 4 makes a name for the image from the folder's path, and names have no capitals; mkdtemp's may.
  const folder = join(tmpdir(), `pitlane-podman-${process.pid}`)
  mkdirSync(folder)
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  symlinkSync(world.images, join(folder, 'images'))
  const env = { ...process.env, ...podmanSettings(folder) }
  const [, version = ''] = world.stable
  const document = documentOf(version)
  const image = document.image ?? assert.fail('no image')
  const from = `oci:${folder}/images:${image.repository}:${image.tag}`
  const native = process.arch === 'x64' ? ['linux/amd64', 'linux/386'] : ['linux/arm64']
  for (const { platform } of image.platforms) {
    const [, arch = '', variant] = platform.split('/')
    const choice = ['--arch', arch, ...(variant ? ['--variant', variant] : [])]
    const id = (await succeed('podman', ['pull', '--quiet', ...choice, from], { env })).trim()
    const shown = await succeed('podman', ['image', 'inspect', '--format', '{{.Os}}/{{.Architecture}}', id], { env })
    assert.equal(shown.trim(), `linux/${arch}`)
    if (native.includes(platform)) {
      assert.equal(
        await succeed('podman', ['run', '--rm', '--network=none', id], { env }),
        'hello from toy\n',
        platform,
      )
    }
  }
  // The line of the guide that loads the image for this machine.
  const name = `${image.repository}:${image.tag}`
  await succeed('skopeo', ['copy', '--quiet', from, `containers-storage:${name}`], { env })
  assert.equal(await succeed('podman', ['run', '--rm', '--network=none', name], { env }), 'hello from toy\n')
})

describe('install.sh', () => {
  for (const shell of [['dash'], ['busybox', 'sh']] as const) {
    test(`under ${shell.join(' ')}: the newest stable version, checked and run`, async (t) => {
      if (lacks(t, shell[0], 'curl', 'minisign')) return
      const home = emptyFolder('home')
      const env = { PATH: process.env['PATH'], HOME: home, PITLANE_DIR: join(home, 'bin') }
      const script = await succeed('curl', ['-fsSL', `${world.address}/${KEYS.installScript}`])
      const install = (...args: string[]) =>
        succeed(shell[0], [...shell.slice(1), '-s', '--', ...args], { env, cwd: home, input: script })
      const preview = await install('--dry-run')
      assert.match(preview, /v1\.10\.0/)
      assert.deepEqual(readdirSync(home), [])
      await install('--require-signature')
      assert.equal(await succeed(join(home, 'bin/toy'), []), 'hello from toy\n')
      await install('--version', 'v1.9.0')
      const triple = TARGETS.find(({ uname }) => uname.includes(process.arch === 'x64' ? 'x86_64' : 'aarch64'))?.triple
      const expected = readFileSync(inBucket(KEYS.binary('v1.9.0', triple ?? '', 'toy')))
      assert.deepEqual(readFileSync(join(home, 'bin/toy')), expected)
    })
  }
})

test('pitlane verify: over HTTP with the key alone, and what was changed is refused', async () => {
  const key = inBucket(KEYS.publicKey)
  for (const version of versions()) {
    await world.pitlane('verify', version, '--from', world.address, '--registry', world.images, '--key', key)
  }
  const folder = emptyFolder('changed')
  mkdirSync(join(folder, KEYS.releases), { recursive: true })
  await succeed('cp', ['-R', `${world.bucket}/.`, folder])
  writeFileSync(join(folder, KEYS.binary('v1.9.0', 'i686-unknown-linux-musl', 'toy')), 'something else')
  const args = ['verify', 'v1.9.0', '--from', folder, '--registry', world.images, '--key', key]
  await assert.rejects(world.pitlane(...args), /i686-unknown-linux-musl\/toy/)
})
