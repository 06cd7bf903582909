import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { PlannedImage } from '../plan/plan.ts'
import { TARGETS } from '../plan/targets.ts'
import { assembleImage, assembleIndex, type ImageFacts, type LayerFacts } from './image.ts'

const facts: ImageFacts = {
  name: 'garage',
  version: 'v1.0.0',
  revision: 'a'.repeat(40),
  commitTime: 1_700_000_000,
}

const planned: PlannedImage = {
  repository: 'dxflrs/garage',
  tag: 'v1.0.0',
  command: ['/garage', 'server'],
  env: ['RUST_LOG=garage=info', 'RUST_BACKTRACE=1'],
  labels: {
    'org.opencontainers.image.licenses': 'AGPL-3.0',
    'org.opencontainers.image.source': 'https://example.org/garage',
    'org.example.team': 'storage',
  },
  platforms: TARGETS.map((target) => ({
    target: target.triple,
    platform: target.platform,
    repository: `dxflrs/${target.architecture}_garage`,
  })),
}

const layers = new Map<string, LayerFacts>(
  TARGETS.map((target, i) => [
    target.triple,
    { digest: `sha256:${String(i).repeat(64)}`, size: 1000 + i, diffId: `sha256:${String(i + 4).repeat(64)}` },
  ]),
)

test('the digests of a known image, for ever', () => {
  const image = assembleImage(planned, facts, layers)
  const digests = Object.fromEntries(image.platforms.map((p) => [p.platform, p.manifest.descriptor.digest]))
  assert.deepEqual(
    { index: image.index.descriptor.digest, ...digests },
    {
      index: 'sha256:d486f85029207285685d698715a50023f255070f68b0dc91290a79d2753ec1be',
      'linux/amd64': 'sha256:5163c442e9fc0e9ba6f3dddd253e36c9b9e76fc0bbf7b9f5ce6602cb05d9fc24',
      'linux/arm64': 'sha256:03525966dba0988eaf88b57754ec5c1557ab86c8f46d82ceb44e72448e5056c6',
      'linux/arm/v6': 'sha256:5965e610fbdc8819b07ab186d4c6a1c12795f8bf127f14ce5e1bf3fa61b0b7cd',
      'linux/386': 'sha256:db9cbd6a8d651dd7d726d8925c4a676f57170c4c23030f2c6a59ec4817ccb7b3',
    },
  )
})

test("with Docker's media types: other digests, for ever, and no annotations, which its manifests do not have", () => {
  const image = assembleImage({ ...planned, format: 'docker' }, facts, layers)
  assert.equal(image.index.descriptor.digest, 'sha256:361374d5d61df6fb7ecbb9119f65d85dfbe6cbbe7f47cc929f8bd2a695bf3ec7')
  const index = JSON.parse(image.index.bytes.toString())
  assert.deepEqual(Object.keys(index), ['schemaVersion', 'mediaType', 'manifests'])
  const [amd64] = image.platforms
  assert.ok(amd64)
  assert.deepEqual(index.manifests[0], { ...amd64.manifest.descriptor })
  const manifest = JSON.parse(amd64.manifest.bytes.toString())
  assert.deepEqual(Object.keys(manifest), ['schemaVersion', 'mediaType', 'config', 'layers'])
  assert.deepEqual(
    [index.mediaType, manifest.mediaType, manifest.config.mediaType, manifest.layers[0].mediaType],
    [
      'application/vnd.docker.distribution.manifest.list.v2+json',
      'application/vnd.docker.distribution.manifest.v2+json',
      'application/vnd.docker.container.image.v1+json',
      'application/vnd.docker.image.rootfs.diff.tar.gzip',
    ],
  )
  // What the image is does not depend on how it is spoken of.
  assert.equal(
    amd64.config.descriptor.digest,
    assembleImage(planned, facts, layers).platforms[0]?.config.descriptor.digest,
  )
})

test('the index lists the platforms in the order in which first-match clients should meet them', () => {
  const reversed = { ...planned, platforms: planned.platforms.toReversed() }
  const image = assembleImage(reversed, facts, layers)
  const index = JSON.parse(image.index.bytes.toString())
  assert.deepEqual(
    index.manifests.map((entry: { platform: unknown }) => entry.platform),
    [
      { architecture: 'amd64', os: 'linux' },
      { architecture: 'arm64', os: 'linux' },
      { architecture: 'arm', os: 'linux', variant: 'v6' },
      { architecture: '386', os: 'linux' },
    ],
  )
  assert.deepEqual(image.index.bytes, assembleImage(planned, facts, layers).index.bytes)
})

test('config, manifest and index say what is in them', () => {
  const image = assembleImage(planned, facts, layers)
  const arm = image.platforms.find((platform) => platform.platform === 'linux/arm/v6')
  assert.ok(arm)
  const annotations = {
    'org.opencontainers.image.created': '2023-11-14T22:13:20Z',
    'org.opencontainers.image.licenses': 'AGPL-3.0',
    'org.opencontainers.image.revision': 'a'.repeat(40),
    'org.opencontainers.image.source': 'https://example.org/garage',
    'org.opencontainers.image.title': 'garage',
    'org.opencontainers.image.version': 'v1.0.0',
  }
  assert.deepEqual(JSON.parse(arm.config.bytes.toString()), {
    created: '2023-11-14T22:13:20Z',
    architecture: 'arm',
    os: 'linux',
    variant: 'v6',
    config: {
      Env: ['RUST_LOG=garage=info', 'RUST_BACKTRACE=1'],
      Cmd: ['/garage', 'server'],
      Labels: { 'org.example.team': 'storage', ...annotations },
    },
    rootfs: { type: 'layers', diff_ids: [`sha256:${'6'.repeat(64)}`] },
    history: [
      {
        created: '2023-11-14T22:13:20Z',
        created_by: 'pitlane: the armv6l-unknown-linux-musleabihf binary of garage v1.0.0',
      },
    ],
  })
  assert.deepEqual(JSON.parse(arm.manifest.bytes.toString()), {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: arm.config.descriptor,
    layers: [
      {
        mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
        digest: `sha256:${'2'.repeat(64)}`,
        size: 1002,
      },
    ],
    annotations,
  })
  assert.deepEqual(JSON.parse(image.index.bytes.toString()).annotations, annotations)
})

test('no label of the project can claim another version, commit or time', () => {
  const labels = Object.fromEntries(
    ['version', 'revision', 'created', 'title'].map((name) => [`org.opencontainers.image.${name}`, 'mine']),
  )
  const image = assembleImage({ ...planned, labels }, facts, layers)
  const { annotations } = JSON.parse(image.index.bytes.toString())
  assert.deepEqual(annotations, {
    'org.opencontainers.image.created': '2023-11-14T22:13:20Z',
    'org.opencontainers.image.revision': 'a'.repeat(40),
    'org.opencontainers.image.title': 'mine',
    'org.opencontainers.image.version': 'v1.0.0',
  })
})

const indexDigest = (image: PlannedImage) => assembleImage(image, facts, layers).index.descriptor.digest

test('the order of labels does not matter, the order of env and command does', () => {
  const labels = Object.fromEntries(Object.entries(planned.labels).toReversed())
  assert.equal(indexDigest({ ...planned, labels }), indexDigest(planned))
  assert.notEqual(indexDigest({ ...planned, env: planned.env.toReversed() }), indexDigest(planned))
  assert.notEqual(indexDigest({ ...planned, command: planned.command.toReversed() }), indexDigest(planned))
})

test('any commit time gives a time of four-digit year', () => {
  fc.assert(
    fc.property(fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER }), (commitTime) => {
      const image = assembleImage(planned, { ...facts, commitTime }, layers)
      const created = JSON.parse(image.platforms[0]?.config.bytes.toString() ?? '').created
      assert.match(created, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    }),
  )
})

test('what plan, layers and targets disagree about is refused', () => {
  const refused = (image: PlannedImage, message: RegExp, given = layers) =>
    assert.throws(() => assembleImage(image, facts, given), { code: 'PLAN_CONTRADICTION', message })
  const [amd64, arm64] = planned.platforms
  assert.ok(amd64 && arm64)
  refused({ ...planned, platforms: [...planned.platforms, amd64] }, /two images for linux\/amd64/)
  refused(
    { ...planned, platforms: [{ ...amd64, platform: 'linux/arm64' }] },
    /x86_64-unknown-linux-musl is linux\/amd64/,
    new Map([[amd64.target, layers.get(amd64.target)!]]),
  )
  refused({ ...planned, platforms: [{ ...amd64, target: 'sparc' }] }, /unknown target sparc/, new Map())
  refused(planned, /no layer for aarch64/, new Map([[amd64.target, layers.get(amd64.target)!]]))
  refused({ ...planned, platforms: [amd64] }, /does not have/)
})

test('an index refuses a platform that its config contradicts', () => {
  const image = assembleImage(planned, facts, layers)
  const [amd64, arm64] = image.platforms
  assert.ok(amd64 && arm64)
  const crossed = { config: amd64.config, manifest: arm64.manifest }
  assert.throws(() => assembleIndex([crossed], {}), {
    code: 'PLAN_CONTRADICTION',
    message: /declared for linux\/arm64, and its config says linux\/amd64/,
  })
  const { platform: _, ...bare } = amd64.manifest.descriptor
  assert.throws(
    () => assembleIndex([{ config: amd64.config, manifest: { ...amd64.manifest, descriptor: bare } }], {}),
    {
      code: 'PLAN_CONTRADICTION',
    },
  )
})
