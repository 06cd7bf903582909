// Documents that are well signed with another key than the project's, and documents of a format that only a later Pitlane knows: every command
// says so, with version and key, and nothing is listed, written or removed.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { KEYS } from '../../../src/plan/keys.ts'
import { privateKeyOf, rawPublicKey } from '../../../src/release/keys/ed25519.ts'
import { encodeSecretKey } from '../../../src/release/keys/minisign.ts'
import { createSigner, type Signer } from '../../../src/release/keys/sign.ts'
import { parseSiteIndex } from '../../../src/release/lists/site-index.ts'
import { signDocument } from '../../../src/release/put-operations.ts'
import { PUBLIC_KEY } from '../../world/toy.ts'
import { NOW, Runs } from '../runs.ts'
import * as worlds from '../worlds.ts'

const keyOf = (byte: number, id: string) => {
  const seed = Buffer.alloc(32, byte)
  return { seed, keyId: Buffer.from(id, 'hex'), key: rawPublicKey(privateKeyOf(seed)) }
}
/** The toy's own. */
const OWN = createSigner(keyOf(7, '0102030405060708'))
const OTHER_KEY = keyOf(9, '0909090909090909')
const OTHER = createSigner(OTHER_KEY)
/** What each command says of a document of that key. */
const FOREIGN = /release\.json\.minisig: signed with the key 909090909090909, not with 807060504030201/
const NEWER =
  /release\.json was made by a newer Pitlane: it is pitlane-release\/2, and this one knows pitlane-release\/1/
const NEWER_INDEX =
  /index\.json was made by a newer Pitlane: it is pitlane-index\/2, and this one knows pitlane-index\/1/

let runs: Runs
/** v1.0.0 is published; v1.0.1, beside it, is tagged, and v1.0.0 is to be retired then. */
let released: worlds.World

before(async () => {
  runs = await Runs.open()
  released = worlds.freshWorld()
  const first = await runs.warm(released)
  assert.equal(first.code, 0, first.output)
  const file = join(released.project, 'pitlane.yaml')
  writeFileSync(file, `${readFileSync(file, 'utf8')}retention: { stable: { keep: 1 } }\n`)
  worlds.git(released, 'commit', '--quiet', '--all', '--message', 'Keep one')
  worlds.git(released, 'tag', 'v1.0.1')
})

after(() => {
  worlds.removeWorld(released)
  runs.close()
})

/** Puts a document that says so in the place of what is there, or beside it, signed. */
function put(
  world: worlds.World,
  signer: Signer,
  key: string,
  version: string,
  change: (text: string) => string,
): void {
  const from = key === KEYS.index ? key : KEYS.document('v1.0.0')
  const bytes = Buffer.from(change(readFileSync(join(world.bucket, from), 'utf8')))
  const to = (name: string) => join(world.bucket, name)
  mkdirSync(dirname(to(key)), { recursive: true })
  writeFileSync(to(key), bytes)
  for (const side of signDocument(signer, 'toy', version, key, bytes)) writeFileSync(to(side.key), side.bytes)
}

const asOther = (text: string) =>
  text.replaceAll(OWN.publicKey.line, OTHER.publicKey.line).replaceAll(OWN.keyId, OTHER.keyId)

const COMMANDS = [
  ['audit'],
  ['pages', 'rebuild'],
  ['pages', 'rebuild', '--check'],
  ['adopt', '--yes'],
  ['retention', 'plan'],
  ['retention', 'apply'],
  ['releases', 'withdraw', 'v1.0.0', '--reason', 'a fault'],
  ['release', 'v1.0.1', '--jobs', '2'],
]

async function allRefuse(world: worlds.World, says: RegExp, commands: readonly (readonly string[])[] = COMMANDS) {
  const untouched = listsOf(world)
  for (const args of commands) {
    const { code, output } = await runs.warm(world, { args, now: NOW + 1000 })
    const at = `${args.join(' ')}: ${output}`
    assert.equal(code, args[0] === 'audit' && says !== NEWER_INDEX ? 1 : 3, at)
    assert.match(output, says, at)
    assert.deepEqual(listsOf(world), untouched, at)
  }
}

/** Everything but what a publication puts before anybody is led to it. */
function listsOf(world: worlds.World): Record<string, string> {
  const all = Object.entries(worlds.published(world))
  return Object.fromEntries(all.filter(([path]) => path.startsWith('bucket/') && !path.includes('/v1.0.1/')))
}

/** A machine that knows nothing of what was there before. */
function forget(world: worlds.World): void {
  rmSync(join(world.project, '.pitlane'), { recursive: true })
}

test('a version that somebody else has added', async () => {
  const world = worlds.copyOf(released)
  put(world, OTHER, KEYS.document('v6.6.6'), 'v6.6.6', (text) => asOther(text).replaceAll('v1.0.0', 'v6.6.6'))
  await allRefuse(world, /_releases\/v6\.6\.6\/release\.json\.minisig: signed with the key 909090909090909, not with/)
  forget(world)
  await allRefuse(world, FOREIGN)
  worlds.removeWorld(world)
})

test('a version that somebody else has signed again, whatever the document says of its key', async () => {
  for (const change of [asOther, (text: string) => text]) {
    const world = worlds.copyOf(released)
    forget(world)
    put(world, OTHER, KEYS.document('v1.0.0'), 'v1.0.0', change)
    await allRefuse(world, FOREIGN)
    const args = ['verify', 'v1.0.0', '--from', world.bucket, '--key', PUBLIC_KEY]
    const verified = await runs.warm(world, { args })
    assert.equal(verified.code, 3)
    assert.match(verified.output, FOREIGN)
    worlds.removeWorld(world)
  }
})

test('whoever has put out the last lists goes on naming the document that was published', async () => {
  const world = worlds.copyOf(released)
  const named = () =>
    parseSiteIndex(readFileSync(join(world.bucket, KEYS.index)), KEYS.index).releases.find(
      ({ version }) => version === 'v1.0.0',
    )?.document
  const published = named()
  put(world, OTHER, KEYS.document('v1.0.0'), 'v1.0.0', asOther)
  const { code, output } = await runs.warm(world, { args: ['release', 'v1.0.1', '--jobs', '2'], now: NOW + 1000 })
  assert.equal(code, 0, output)
  assert.deepEqual(named(), published)
  await allRefuse(world, FOREIGN, COMMANDS.slice(0, 6))
  worlds.removeWorld(world)
})

test('another key here than the one of the bucket', async () => {
  const world = worlds.copyOf(released)
  forget(world)
  const other = { ...world, env: { ...world.env, PITLANE_SIGNING_KEY: encodeSecretKey(OTHER_KEY) } }
  const untouched = listsOf(world)
  for (const args of COMMANDS) {
    const { code, output } = await runs.warm(other, { args, now: NOW + 1000 })
    assert.equal(code, 3, output)
    assert.match(output, /KEY_CHANGED: \S+ is signed with key 807060504030201, and this one is 909090909090909/)
    assert.deepEqual(listsOf(world), untouched)
  }
  worlds.removeWorld(world)
})

test('a document and an index of a later format', async () => {
  const world = worlds.copyOf(released)
  put(world, OWN, KEYS.document('v1.0.0'), 'v1.0.0', (text) => text.replace('pitlane-release/1', 'pitlane-release/2'))
  // What else is wrong is told beside it.
  writeFileSync(join(world.bucket, '_releases/v1.0.0/notes'), 'x')
  const audited = await runs.warm(world, { args: ['audit'], now: NOW + 1000 })
  assert.match(audited.output, /^bucket {4}_releases\/v1\.0\.0\/release\.json: was made by a newer Pitlane/m)
  rmSync(join(world.bucket, '_releases/v1.0.0/notes'))
  forget(world)
  await allRefuse(world, /release\.json:? was made by a newer Pitlane: it is pitlane-release\/2/)
  const args = ['verify', 'v1.0.0', '--from', world.bucket, '--key', PUBLIC_KEY]
  assert.match((await runs.warm(world, { args })).output, NEWER)
  worlds.removeWorld(world)

  const indexed = worlds.copyOf(released)
  const serial = (JSON.parse(readFileSync(join(indexed.bucket, KEYS.index), 'utf8')) as { serial: number }).serial
  put(indexed, OWN, KEYS.index, `serial-${serial}`, (text) => text.replace('pitlane-index/1', 'pitlane-index/2'))
  await allRefuse(indexed, NEWER_INDEX)
  forget(indexed)
  await allRefuse(indexed, NEWER_INDEX)
  worlds.removeWorld(indexed)
})
