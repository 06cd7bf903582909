/** A bucket with releases that are made by hand, target by target, in a project of two targets. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { folderBucket } from '../../src/buckets/folder/bucket.ts'
import { systemClock } from '../../src/clock.ts'
import { openSqlite } from '../../src/database/sqlite.ts'
import { takeOver } from '../../src/database/writer.ts'
import { renderSite } from '../../src/pages/site.ts'
import { KEYS } from '../../src/plan/keys.ts'
import { makePlan } from '../../src/plan/make-plan.ts'
import type { Plan } from '../../src/plan/plan.ts'
import { findTarget } from '../../src/plan/targets.ts'
import { handMadeFile } from '../../src/release/by-hand/by-hand.ts'
import { changeState } from '../../src/release/states/change-state.ts'
import { bodyOf } from '../../src/release/digest.ts'
import { BuiltDocument } from '../../src/release/document.ts'
import { documentCheck } from '../../src/release/documents.ts'
import { privateKeyOf, rawPublicKey } from '../../src/release/keys/ed25519.ts'
import type { ListParts } from '../../src/release/lists/list-parts.ts'
import { parsePublicKey } from '../../src/release/keys/public-key.ts'
import { publishBinary } from '../../src/release/by-hand/publish-binary.ts'
import { createSigner } from '../../src/release/keys/sign.ts'
import { parseSiteIndex } from '../../src/release/lists/site-index.ts'
import { verifyRelease } from '../../src/release/verify/verify.ts'
import { unmetered } from '../../src/run/meter.ts'

export const ONE = 'x86_64-unknown-linux-musl'
export const OTHER = 'aarch64-unknown-linux-musl'
export const BEGIN = Date.UTC(2026, 2, 1)
const never = new AbortController().signal
const seed = Buffer.alloc(32, 7)
export const signer = createSigner({ seed, keyId: Buffer.alloc(8, 7), key: rawPublicKey(privateKeyOf(seed)) })
const key = parsePublicKey(signer.publicKey.line, 'test')

const CONFIGURATION = `name: toy
checks: [{ name: unit, run: make check }]
release:
  targets: [${ONE}, ${OTHER}]
  build: { run: make, binary: out/$TARGET/toy }
publish: { bucket: ../bucket }
`

export function plan(version: string, commit = 'c'.repeat(40)): Plan {
  const source = {
    commit,
    tree: 'd'.repeat(40),
    tag: version,
    commitTime: BEGIN / 1000,
    subject: 'x',
    tagMessage: null,
  }
  const configuration = { file: 'pitlane.yaml', text: Buffer.from(CONFIGURATION) }
  return makePlan({ source, configuration, changelog: null })
}

export async function handMadeSite(t: TestContext, sign = true) {
  const root = mkdtempSync(join(tmpdir(), 'pitlane-by-hand-'))
  const db = await openSqlite(join(root, 'state.sqlite'))
  t.after(async () => {
    await db.destroy()
    rmSync(root, { recursive: true, force: true })
  })
  let now = BEGIN
  const clock = { ...systemClock, now: () => now }
  const bucket = folderBucket(join(root, 'bucket'), clock)
  const lists: ListParts = {
    bucket,
    place: './bucket',
    registry: null,
    note: () => undefined,
    signer: sign ? signer : null,
    check: sign ? documentCheck(key) : null,
    render: renderSite,
    documentation: null,
    name: 'toy',
    baseUrl: 'https://releases.example.org',
    clock,
    metering: unmetered,
    writer: await takeOver(db),
    exclusively: (work) => work(),
  }
  return {
    lists,
    root,
    at: (time: number) => {
      now = time
    },
    put: (of: Plan, triple: string, text: string) => {
      const bytes = Buffer.from(text)
      const body = bodyOf(bytes)
      const target = findTarget(triple)
      const output = of.stages.flatMap((stage) => stage.outputs).find((candidate) => candidate.target === triple)
      assert.ok(target && output)
      const file = handMadeFile(of, target, output, { size: body.size, sha256: body.sha256, elf: null })
      const about = { tag: null, actor: 'Mira', pitlaneVersion: '0.1.0', isChecked: false }
      const made = { plan: of, file, signer: lists.signer, ...about }
      return publishBinary(lists, never, { made, blake2b512: createHash('blake2b512').update(bytes).digest(), body })
    },
    read: (revision: number) =>
      BuiltDocument.parse(JSON.parse(readFileSync(join(root, 'bucket', KEYS.document('hand-1', revision)), 'utf8'))),
    /** Withdraws a version, or puts it back. */
    change: (version: string, state: 'withdrawn' | 'published', supersededBy: string | null = null) => {
      const asked = { version, state, reason: 'it is no good', supersededBy, amend: false, actor: 'Mira' }
      return changeState(lists, () => asked, null, never)
    },
    index: () => parseSiteIndex(readFileSync(join(root, 'bucket', KEYS.index)), KEYS.index),
    verify: (version: string) =>
      verifyRelease({
        bucket,
        registryOf: () => Promise.resolve(null),
        version,
        key: sign ? key : null,
        now,
        metering: unmetered,
      }),
  }
}
