import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import type { ArtifactRow, LayerRow, ReleaseTestRow } from '../database/queries/artifacts.ts'
import { catalogue } from '../pages/catalogue.ts'
import { exampleSite, hex } from '../pages/fixtures/documents.ts'
import { siteIndex } from '../pages/index-json.ts'
import type { Plan } from '../plan/plan.ts'
import { findTarget } from '../plan/targets.ts'
import { bodyOf } from './digest.ts'
import type { BuiltDocument } from './document.ts'
import { privateKeyOf, rawPublicKey } from './keys/ed25519.ts'
import { makeMaterials, type MaterialsInput } from './materials.ts'
import { type Count, type Presence, unmetObligations } from './obligations.ts'
import { declared } from './presence.ts'
import { parsePublicKey } from './keys/public-key.ts'
import { createSigner } from './keys/sign.ts'

const TARGETS = ['x86_64-unknown-linux-musl', 'armv6l-unknown-linux-musleabihf'] as const
const [AMD64, ARM] = TARGETS
const seed = Buffer.alloc(32, 7)
const signer = createSigner({ seed, keyId: Buffer.alloc(8, 7), key: rawPublicKey(privateKeyOf(seed)) })

const bytesOf = (target: string) => Buffer.from(`the program for ${target}`)
const layerOf = (target: string) => Buffer.from(`a layer with the program for ${target}`)
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

const image = {
  repository: 'example/toy',
  tag: 'v1.0.0',
  command: ['/toy'],
  env: [],
  labels: {},
  platforms: TARGETS.map((target) => ({
    target,
    platform: findTarget(target)?.platform ?? '',
    repository: `example/${findTarget(target)?.architecture}_toy`,
  })),
}
const stage = (kind: 'build' | 'test', target: string) => ({
  id: `${kind}/${target}`,
  kind,
  target,
  needs: [],
  steps: [],
  required: true,
  outputs:
    kind === 'test'
      ? []
      : [
          {
            id: `binary/${target}`,
            target,
            name: 'toy',
            path: 'out/toy',
            static: true,
            obligations: ['bytes', 'digest', 'elf', 'signature', 'test', 'image', 'page'] as const,
          },
        ],
})
const plan: Plan = {
  format: 1,
  id: 'plan-1',
  project: 'toy',
  source: {
    commit: hex('c').slice(0, 40),
    tree: hex('t').slice(0, 40),
    tag: 'v1.0.0',
    commitTime: 1,
    subject: 's',
    tagMessage: null,
  },
  version: 'v1.0.0',
  channel: 'stable',
  configuration: { file: 'pitlane.yaml', sha256: hex('p') },
  notes: null,
  stages: TARGETS.flatMap((target) => [stage('build', target), stage('test', target)]),
  release: { targets: TARGETS, sign: 'minisign', image, publish: null },
}

const artifacts: ArtifactRow[] = TARGETS.map((target) => {
  const blake2b512 = createHash('blake2b512').update(bytesOf(target)).digest('hex')
  const size = bytesOf(target).length
  const about = { target, name: 'toy', sha256: sha256(bytesOf(target)), blake2b512, size }
  const elf = {
    class: target === AMD64 ? 64 : 32,
    endianness: 'little',
    machine: findTarget(target)?.elf.machine,
    type: 'exec',
    interpreter: null,
    needed: [],
    arm: target === ARM ? { version: 6, source: 'attributes' } : null,
  }
  const evidence = {
    format: 'pitlane-evidence/1',
    outputId: `binary/${target}`,
    ...about,
    elf,
    findings: [],
    stage: 's',
    attempt: 1,
    executor: 'process',
    isolation: 'pid-namespace',
    test: null,
  }
  return { build_id: 'b', output_id: `binary/${target}`, ...about, evidence: JSON.stringify(evidence), created_at: 1 }
})
const layers: LayerRow[] = TARGETS.map((target) => {
  const digest = `sha256:${sha256(layerOf(target))}`
  return { build_id: 'b', target, digest, size: layerOf(target).length, diff_id: `sha256:${hex(target)}` }
})
const input: MaterialsInput = {
  documentation: [],
  plan,
  artifacts,
  layers,
  tests: TARGETS.map((target) => {
    const binary_sha256 = sha256(bytesOf(target))
    return {
      build_id: 'b',
      target,
      result: 'passed' as const,
      mode: 'native' as const,
      binary_sha256,
      reason: null,
      executed: null,
    }
  }),
  signer,
  publishedAt: Date.UTC(2026, 2, 1),
  promotion: { actor: 'a', reason: null, build: 1 },
  builder: { pitlane: '0', executor: 'process', isolation: 'pid-namespace' },
  images: { layout: '../images' },
  body: (digest) =>
    bodyOf(
      [...TARGETS.map(bytesOf), ...TARGETS.map(layerOf)].find((bytes) => sha256(bytes) === digest) ?? Buffer.alloc(0),
    ),
}
const materials = makeMaterials(input)
const whole: Count = {
  plan,
  document: materials.document,
  made: materials.made,
  documentation: [],
  key: parsePublicKey(signer.publicKey.line, 'test'),
}
const there = declared(materials.operations)
const documentSha256 = (await there.object('_releases/v1.0.0/release.json')) ?? ''
const index = siteIndex(
  catalogue(exampleSite({ documents: [materials.document], documentSha256: () => documentSha256 })),
  [],
)
const page = `v1.0.0 ${materials.document.files.map((file) => file.sha256).join(' ')}`
const visible: Presence = { ...there, lists: { page, index } }

const amd64 = `_releases/v1.0.0/${AMD64}/toy`
const unmet = async (presence: Partial<Presence>, count: Partial<Count> = {}) =>
  unmetObligations({ ...whole, ...count }, { ...visible, ...presence })
const missing = (obligation: string, ...targets: string[]) =>
  targets.map((target) => `binary/${target}: ${obligation} is missing`)
const changed = (change: (document: BuiltDocument) => void): { document: BuiltDocument } => {
  const document = structuredClone(whole.document)
  change(document)
  return { document }
}
const first = <T>(items: readonly T[]): T => items[0] as T
/** Answers differently for one name. */
const except =
  <T>(of: (...names: string[]) => Promise<T>, name: string, answer: T) =>
  async (...names: string[]) =>
    names.join(' ') === name ? answer : of(...names)

test('a whole release lacks nothing, before it is visible and after', async () => {
  assert.deepEqual(await unmetObligations(whole, there), [])
  assert.deepEqual(await unmet({}), [])
})

test('manifests are asked for without waiting for the index that names them', async () => {
  const asked = new Set<string>()
  const manifest: Presence['manifest'] = async (repository, digest) => {
    asked.add(digest)
    await new Promise(setImmediate)
    assert.equal(asked.size, TARGETS.length + 1)
    return there.manifest(repository, digest)
  }
  assert.deepEqual(await unmet({ manifest }), [])
})

test('bytes: other bytes under the name, none, or others than were made', async () => {
  for (const answer of [hex('other'), null])
    assert.deepEqual(await unmet({ object: except(there.object, amd64, answer) }), missing('bytes', AMD64))
  const made = new Map([
    ...whole.made,
    [AMD64, { sha256: hex('x'), blake2b512: Buffer.alloc(64), layer: null }] as const,
  ])
  assert.ok((await unmet({}, { made })).includes(`binary/${AMD64}: bytes is missing`))
})

test('digest: the line beside it is another one, or none', async () => {
  for (const answer of [Buffer.from(`${hex('other')}  toy\n`), null])
    assert.deepEqual(await unmet({ bytes: except(there.bytes, `${amd64}.sha256`, answer) }), missing('digest', AMD64))
})

test('elf: class, machine, ARM version, static and platform are those of the target', async () => {
  for (const change of [{ class: 32 }, { machine: 'ARM (40)' }, { static: false }] as const)
    assert.deepEqual(
      await unmet(
        {},
        changed(({ files }) => Object.assign(first(files).elf ?? {}, change)),
      ),
      missing('elf', AMD64),
    )
  for (const arm of [null, { version: 7, source: 'attributes' }])
    assert.deepEqual(
      await unmet(
        {},
        changed(({ files }) => Object.assign(files[1]?.elf ?? {}, { arm })),
      ),
      missing('elf', ARM),
    )
  const platform = changed(({ files }) => Object.assign(first(files), { platform: 'linux/386' }))
  assert.ok((await unmet({}, platform)).includes(`binary/${AMD64}: elf is missing`))
})

test('signature: of another file, of another key, damaged, or none', async () => {
  const path = `${amd64}.minisig`
  const other = await there.bytes(`_releases/v1.0.0/${ARM}/toy.minisig`)
  for (const answer of [other, Buffer.from('x'), null])
    assert.deepEqual(await unmet({ bytes: except(there.bytes, path, answer) }), missing('signature', AMD64))
  const stranger = rawPublicKey(privateKeyOf(Buffer.alloc(32, 8)))
  assert.deepEqual(await unmet({}, { key: { keyId: null, key: stranger } }), missing('signature', ...TARGETS))
  assert.deepEqual(await unmet({}, { key: null }), missing('signature', ...TARGETS))
})

test('test: of other bytes, not run although it must, or no result', async () => {
  for (const change of [{ binarySha256: hex('other') }, { result: 'not-run' }, { result: 'none' }])
    assert.deepEqual(
      await unmet(
        {},
        changed(({ tests }) => Object.assign(first(tests), change)),
      ),
      missing('test', AMD64),
    )
  assert.deepEqual(
    await unmet(
      {},
      changed(({ tests }) => tests.shift()),
    ),
    missing('test', AMD64),
  )
})

test('image: index, manifest, layer and tags lead to exactly this binary', async () => {
  const built = whole.document.image
  assert.ok(built !== null)
  const [platform, second] = built.platforms
  assert.ok(platform !== undefined && second !== undefined)
  const own = `${platform.repository} ${platform.digest}`
  const multi = `${built.repository} ${platform.digest}`
  const top = `${built.repository} ${built.digest}`
  // The manifest of the other platform holds the other binary.
  const others = await there.manifest(second.repository, second.digest)
  for (const name of [own, multi])
    for (const answer of [others, Buffer.from('{'), null])
      assert.deepEqual(
        await unmet({ manifest: except(there.manifest, name, answer) }),
        missing('image', platform.target),
      )
  for (const answer of [null, Buffer.from('{"schemaVersion":2,"manifests":[]}')])
    assert.deepEqual(await unmet({ manifest: except(there.manifest, top, answer) }), missing('image', AMD64, ARM))
  const topBytes = await there.manifest(built.repository, built.digest)
  const list = JSON.parse(String(topBytes)) as { readonly manifests: readonly { readonly digest: string }[] }
  const entry = list.manifests.find(({ digest }) => digest === platform.digest)
  const rest = list.manifests.filter(({ digest }) => digest !== platform.digest)
  // Named twice, and named as what it is not.
  for (const named of [[entry, entry], [{ ...entry, platform: { architecture: 's390x', os: 'linux' } }]]) {
    const answer = Buffer.from(JSON.stringify({ ...list, manifests: [...rest, ...named] }))
    assert.deepEqual(await unmet({ manifest: except(there.manifest, top, answer) }), missing('image', platform.target))
  }
  for (const answer of [second.digest, null]) {
    const tag: Presence['tag'] = except(there.tag, `${platform.repository} v1.0.0`, answer)
    assert.deepEqual(await unmet({ tag }), missing('image', platform.target))
    const topTag: Presence['tag'] = except(there.tag, `${built.repository} v1.0.0`, answer)
    assert.deepEqual(await unmet({ tag: topTag }), missing('image', AMD64, ARM))
  }
  const made = new Map(
    [...whole.made].map(([target, facts]) => [
      target,
      target === AMD64 ? { ...facts, layer: `sha256:${hex('x')}` } : facts,
    ]),
  )
  assert.deepEqual(await unmet({}, { made }), missing('image', AMD64))
})

test('page: page and index name exactly this file and this document', async () => {
  const digest = sha256(bytesOf(AMD64))
  assert.deepEqual(await unmet({ lists: { index, page: page.replace(digest, '') } }), missing('page', AMD64))
  assert.deepEqual(await unmet({ lists: { page, index: { ...index, releases: [] } } }), missing('page', ...TARGETS))
  const release = first(index.releases)
  const files = release.files.map((file) => (file.target === AMD64 ? { ...file, sha256: hex('x') } : file))
  assert.deepEqual(
    await unmet({ lists: { page, index: { ...index, releases: [{ ...release, files }] } } }),
    missing('page', AMD64),
  )
  const document = { ...release.document, sha256: hex('x') }
  const other = { ...index, releases: [{ ...release, document }] }
  assert.deepEqual(await unmet({ lists: { page, index: other } }), missing('page', ...TARGETS))
})

test('a declared output without a file, and a file that nobody declared', async () => {
  const lines = await unmet(
    {},
    changed(({ files }) => files.pop()),
  )
  assert.ok(lines.includes(`binary/${ARM}: bytes is missing`))
  assert.equal(lines.at(-1), '2 outputs are declared and 1 files are in the document')
  assert.deepEqual(await unmet({}, { plan: { ...plan, stages: [] } }), [
    'the plan declares a release and not one output',
    '0 outputs are declared and 2 files are in the document',
  ])
})

test('what only a run can tell is published after one: of this binary, under that CPU, by a test that passed', async () => {
  const unknown = input.artifacts.map((row) => {
    if (row.target !== ARM) return row
    const evidence = JSON.parse(row.evidence) as Record<string, unknown>
    const elf = { ...(evidence['elf'] as object), arm: null }
    return { ...row, evidence: JSON.stringify({ ...evidence, elf, findings: ['ARM version is unknown'] }) }
  })
  const made = (change: Partial<ReleaseTestRow>) => {
    const ran = { mode: 'qemu', executed: 1 } as const
    const tests = input.tests.map((row) => (row.target === ARM ? { ...row, ...ran, ...change } : row))
    return makeMaterials({ ...input, artifacts: unknown, tests })
  }
  for (const change of [
    { mode: 'native' },
    { executed: 0 },
    { executed: null },
    { result: 'not-run', mode: null, executed: null },
  ] as const)
    assert.throws(() => made(change), {
      code: 'ELF_MISMATCH',
      message: /ARM version is unknown/,
      hint: /qemu-arm-static/,
    })
  const { document } = made({})
  assert.deepEqual(document.files.find(({ target }) => target === ARM)?.elf?.arm, { version: 6, source: 'run' })
  // The same counted again from the document.
  const runs = (change: object) =>
    changed(({ files, tests }) => {
      Object.assign(files.find(({ target }) => target === ARM)?.elf ?? {}, { arm: { version: 6, source: 'run' } })
      Object.assign(tests.find(({ target }) => target === ARM) ?? {}, { mode: 'qemu', executed: true, ...change })
    })
  assert.deepEqual(await unmet({}, runs({})), [])
  for (const change of [{ mode: 'native' }, { executed: false }, { executed: undefined }])
    assert.deepEqual(await unmet({}, runs(change)), missing('elf', ARM))
})
