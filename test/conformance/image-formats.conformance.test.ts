// Images in either format, in repositories named by a pattern, on the registry of today and on Debian's 2.8 with either login, as skopeo, crane and
// podman find them. Debian: docker-registry skopeo podman runc openssl.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test, type TestContext } from 'node:test'
import { DOCKER_MEDIA_TYPES, MEDIA_TYPES } from '../../src/image/media-types.ts'
import { KEYS } from '../../src/plan/keys.ts'
import { BuiltDocument, type ReleaseImage } from '../../src/release/document.ts'
import { absentPrograms, succeed } from '../world/program.ts'
import { PUBLIC_KEY } from '../world/toy.ts'
import { crane } from './peers/crane.ts'
import { distribution, type RegistryServer, startDistribution } from './peers/distribution.ts'
import { dockerRegistry, startDockerRegistry } from './peers/docker-registry.ts'
import { LOGIN, passwordFile } from './peers/password-file.ts'
import { podmanSettings } from './peers/podman.ts'
import { temporaryFolder } from './peers/server.ts'
import { startTokenService } from './peers/token-service.ts'
import { startVersitygw, versitygw } from './peers/versitygw.ts'
import { pitlane, type Published, publishingTo, stop } from './publishing.ts'

const VERSION = 'v1.0.0'
const peers = { s3: versitygw(), crane: crane(), today: distribution(), old: dockerRegistry() }
const absent = Object.values(peers).flatMap((peer) => ('absent' in peer ? [peer.absent] : []))
const AUTH = Buffer.from(`${LOGIN.user}:${LOGIN.password}`).toString('base64')

function lacks(t: TestContext, ...programs: readonly string[]): boolean {
  const missing = absentPrograms(...programs)
  if (missing.length > 0) t.skip(`not installed: ${missing.join(', ')}`)
  return missing.length > 0
}

function publishes(
  start: (folder: string) => Promise<RegistryServer>,
  format: 'oci' | 'docker',
  deletesTags = false,
): void {
  const types = format === 'docker' ? DOCKER_MEDIA_TYPES : MEDIA_TYPES
  const temporary = temporaryFolder('formats')
  const folder = temporary.path
  let on: Published
  let image: ReleaseImage

  before(async () => {
    assert.ok('program' in peers.s3)
    on = await publishingTo(await startVersitygw(peers.s3.program), await start(folder))
    const settings = `name: example/toy\n    format: ${format}\n    platforms: 'toys/{platform}/toy'\n    floating: [latest, '{major}']`
    on.world.write('pitlane.yaml', on.world.git('show', 'HEAD:pitlane.yaml').replace('name: example/toy', settings))
    on.world.commit('Name the repositories')
    on.world.git('tag', '--force', VERSION)
    on.env = { DOCKER_AUTH: JSON.stringify({ auths: { [on.registry.host]: { auth: AUTH } } }) }
    const { status, stdout, stderr } = await pitlane(on, 'release', VERSION)
    assert.equal(status, 0, stdout + stderr)
    const document = await (await fetch(`${on.web.url}/${KEYS.document(VERSION)}`)).text()
    image = BuiltDocument.parse(JSON.parse(document)).image ?? assert.fail('no image')
  })
  after(async () => {
    await stop(on)
    temporary.remove()
  })

  const nameOf = ({ repository, tag }: { readonly repository: string; readonly tag: string }) =>
    `${on.registry.host}/${repository}:${tag}`

  test('it verifies, and a second time there is nothing to do', async () => {
    const verified = await pitlane(on, 'verify', VERSION, '--from', on.web.url, '--key', PUBLIC_KEY)
    assert.equal(verified.status, 0, verified.stdout + verified.stderr)
    assert.match(verified.stdout, /^ok {7}image example\/toy:v1\.0\.0@sha256:\w+, 4 platforms/m)
    assert.match((await pitlane(on, 'release', VERSION)).stdout, /already published/)
    assert.deepEqual(
      image.platforms.map(({ repository }) => repository),
      ['amd64', 'arm64', 'arm', '386'].map((platform) => `toys/${platform}/toy`),
    )
  })

  test('by hand, the same images are present, in the same repositories', async () => {
    const asked = ['--version', VERSION]
    const one = ['image', 'prebuilt/aarch64-unknown-linux-musl', '--platform', 'linux/arm64', ...asked]
    const digest = image.platforms.find(({ platform }) => platform === 'linux/arm64')?.digest
    assert.match(
      (await pitlane(on, 'publish', ...one)).stdout,
      new RegExp(`^present {2}toys/arm64/toy:v1.0.0@${digest} `, 'm'),
    )
    const multi = await pitlane(on, 'publish', 'multiarch', ...asked)
    assert.match(multi.stdout, new RegExp(`^present {2}example/toy:v1.0.0@${image.digest} `, 'm'), multi.stderr)
  })

  test('crane: valid for every platform, with the media types that were asked for', async () => {
    assert.ok('program' in peers.crane)
    const { program } = peers.crane
    const env = { HOME: folder, DOCKER_CONFIG: join(folder, 'crane') }
    if (on.env?.['DOCKER_AUTH'] !== undefined)
      await succeed(program, ['auth', 'login', on.registry.host, '-u', LOGIN.user, '-p', LOGIN.password], { env })
    const run = (...args: readonly string[]) => succeed(program, args, { env })
    assert.equal((await run('digest', nameOf(image))).trim(), image.digest)
    await run('validate', '--remote', nameOf(image))
    const index = JSON.parse(await run('manifest', nameOf(image))) as { mediaType: string }
    assert.equal(index.mediaType, types.index)
    for (const platform of image.platforms) {
      const manifest = JSON.parse(await run('manifest', nameOf(platform))) as {
        mediaType: string
        config: { mediaType: string }
        layers: { mediaType: string }[]
      }
      assert.deepEqual(
        [manifest.mediaType, manifest.config.mediaType, ...manifest.layers.map(({ mediaType }) => mediaType)],
        [types.manifest, types.config, types.layer],
      )
      assert.equal((await run('digest', '--platform', platform.platform, nameOf(image))).trim(), platform.digest)
    }
  })

  test('skopeo: each platform is found, and copied with its digest', async (t) => {
    if (lacks(t, 'skopeo')) return
    const login = ['--creds', `${LOGIN.user}:${LOGIN.password}`]
    for (const { platform } of image.platforms) {
      const [os = '', arch = '', variant] = platform.split('/')
      const choice = ['--override-os', os, '--override-arch', arch, ...(variant ? ['--override-variant', variant] : [])]
      const about = [...choice, 'inspect', '--config', '--tls-verify=false', ...login, `docker://${nameOf(image)}`]
      const config = JSON.parse(await succeed('skopeo', about)) as { architecture: string; config: { Cmd: string[] } }
      assert.deepEqual([config.architecture, config.config.Cmd], [arch, ['/toy']])
    }
    const copy = `dir:${join(folder, 'skopeo')}`
    const options = ['--insecure-policy', 'copy', '--quiet', '--all', '--preserve-digests', '--src-tls-verify=false']
    await succeed('skopeo', [...options, '--src-creds', login[1] ?? '', `docker://${nameOf(image)}`, copy])
    const raw = await succeed('skopeo', ['inspect', '--raw', copy])
    assert.equal((JSON.parse(raw) as { mediaType: string }).mediaType, types.index)
  })

  test('podman: pulls the one for this machine, and runs it', async (t) => {
    if (lacks(t, 'podman', 'runc')) return
    if (process.getuid?.() !== 0) return t.skip('podman needs subordinate ids unless it runs as root')
    const env = { ...process.env, ...podmanSettings(folder) }
    const pull = ['pull', '--quiet', '--tls-verify=false', '--creds', `${LOGIN.user}:${LOGIN.password}`]
    const id = (await succeed('podman', [...pull, nameOf(image)], { env })).trim()
    assert.equal(await succeed('podman', ['run', '--rm', '--network=none', id], { env }), 'hello from toy\n')
  })

  test('tags that move on lead there, and follow a withdrawal as far as the registry takes tags away', async () => {
    const digest = async (tag: string) => {
      assert.ok('program' in peers.crane)
      const env = { HOME: folder, DOCKER_CONFIG: join(folder, 'crane') }
      const name = nameOf({ repository: image.repository, tag })
      return succeed(peers.crane.program, ['digest', name], { env }).then(
        (text) => text.trim(),
        () => null,
      )
    }
    assert.deepEqual([await digest('latest'), await digest('1')], [image.digest, image.digest])
    on.world.write('source.txt', 'the source of toy, once more\n')
    on.world.commit('A second toy')
    on.world.git('tag', 'v1.1.0')
    const second = await pitlane(on, 'release', 'v1.1.0')
    assert.equal(second.status, 0, second.stdout + second.stderr)
    const now = await digest('latest')
    assert.notEqual(now, image.digest)
    assert.equal(now, await digest('v1.1.0'))
    const back = await pitlane(on, 'releases', 'rollback', 'stable', '--yes')
    assert.match(back.stdout, /image \S+\/example\/toy:latest: v1\.1\.0 → v1\.0\.0/, back.stderr)
    assert.deepEqual([await digest('latest'), await digest('1')], [image.digest, image.digest])
    const gone = await pitlane(on, 'releases', 'withdraw', VERSION, '--reason', 'loses data')
    assert.equal(gone.status, 0, gone.stdout + gone.stderr)
    assert.equal(await digest('latest'), deletesTags ? null : image.digest)
    assert.equal(/example\/toy:latest still names sha256:\w+: this registry/.test(gone.stdout), !deletesTags)
    const verified = await pitlane(on, 'verify', VERSION, '--from', on.web.url, '--key', PUBLIC_KEY)
    assert.equal(verified.status, 0, verified.stdout + verified.stderr)
    assert.equal(/^note {5}\S+\/example\/toy:latest still names/m.test(verified.stdout), !deletesTags)
    // Nothing to do, also where the tag stays.
    assert.match((await pitlane(on, 'pages', 'rebuild')).stdout, /are what the documents say/)
    const again = await pitlane(on, 'releases', 'restore', VERSION, '--reason', 'it was the disk')
    assert.equal(again.status, 0, again.stdout + again.stderr)
    assert.equal(await digest('latest'), image.digest)
  })

  test('nobody asked for a name before it was there, and no secret was told', () => {
    assert.deepEqual(on.web.notFound, [])
    for (const secret of [LOGIN.password, AUTH]) assert.ok(!on.said.includes(secret))
  })
}

if (absent.length > 0) test('image formats', { skip: absent[0] ?? false }, () => {})
else {
  assert.ok('program' in peers.today && 'program' in peers.old)
  const { today, old } = { today: peers.today.program, old: peers.old.program }
  const passwords = (folder: string) => passwordFile(join(folder, 'htpasswd'))
  describe("Docker's format on distribution 3", () =>
    publishes((folder) => startDistribution(today, passwords(folder)), 'docker', true))
  describe("Docker's format on distribution 2.8 with a password", () =>
    publishes((folder) => startDockerRegistry(old, passwords(folder)), 'docker'))
  const tokens = temporaryFolder('tokens')
  const service = await startTokenService({
    ...LOGIN,
    identityToken: 'unused',
    keyFile: join(tokens.path, 'jwks.json'),
  })
  after(async () => {
    await service.stop()
    tokens.remove()
  })
  describe("Docker's format on distribution 2.8 with tokens", () =>
    publishes(() => startDockerRegistry(old, service.certificateSettings), 'docker'))
  describe("OCI's format on distribution 2.8 with a password", () =>
    publishes((folder) => startDockerRegistry(old, passwords(folder)), 'oci'))
}
