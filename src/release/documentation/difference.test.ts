import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { begunOf, type Change, changeOf, filesOf, type SiteDocuments, type Wanted } from './difference.ts'
import { encodeSite, parseSite, type SiteEntry } from './documents.ts'
import { isPage } from './kinds.ts'

const DAY = 86_400_000
const AT = Date.UTC(2026, 2, 1)
const GRACE = 7 * DAY
/** What was begun is gone on with so long, with its own date. */
const HOUR = 3_600_000
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

/** Contents by name below docs/. */
function wantedOf(contents: Readonly<Record<string, string>>, version: string | null = 'v1.0.0'): Wanted {
  const files = Object.entries(contents).map(([name, text]): SiteEntry => {
    return { key: `docs/${name}`, size: text.length, sha256: sha256(text) }
  })
  return { name: 'toy', path: 'docs/', version, files }
}
const nothing: SiteDocuments = { now: null, next: null }
const options = (at = AT) => ({ there: null, at, grace: GRACE })
const first = changeOf(nothing, wantedOf({ 'index.html': 'a', 'a.css': 'a', 'b.html': 'b' }), options())
assert.ok(first)
const after = (change: Change): SiteDocuments => ({ now: change.site, next: change.site })
const names = (files: readonly SiteEntry[]) => files.map(({ key }) => key.replace('docs/', ''))
const iso = (at: number) => `${new Date(at).toISOString().slice(0, 19)}Z`

describe('a change of the site', () => {
  test('puts everything the first time, the top page last, and is nothing the second time', () => {
    const { put, remove, announce, site } = first
    assert.deepEqual(
      [names(put.assets), names(put.newPages), names(put.changedPages), names(put.top)],
      [['a.css'], ['b.html'], [], ['index.html']],
    )
    assert.deepEqual([remove, announce, site.serial, site.leaving], [[], true, 1, []])
    const again = wantedOf({ 'b.html': 'b', 'a.css': 'a', 'index.html': 'a' })
    assert.equal(changeOf(after(first), again, options(AT + 30 * DAY)), null)
    // Of another version, with the same bytes: nothing to put, and still something to say.
    const renamed = changeOf(after(first), { ...again, version: 'v1.0.1' }, options())
    assert.deepEqual([renamed?.announce, renamed?.site.version], [false, 'v1.0.1'])
  })

  test('puts what changed or is lost, lets go what vanished, and removes it after the grace time', () => {
    const second = changeOf(
      after(first),
      wantedOf({ 'index.html': 'a2', 'c.html': 'c', 'b.html': 'b' }),
      options(AT + DAY),
    )
    assert.ok(second)
    assert.deepEqual(names(filesOf(second.put)), ['c.html', 'index.html'])
    assert.deepEqual(second.site.leaving, [{ key: 'docs/a.css', removeAfter: iso(AT + DAY + GRACE) }])
    const same = wantedOf({ 'index.html': 'a2', 'c.html': 'c', 'b.html': 'b' })
    assert.equal(changeOf(after(second), same, options(AT + DAY + GRACE - 1)), null)
    const third = changeOf(after(second), same, options(AT + DAY + GRACE))
    assert.deepEqual([third?.remove, third?.announce, third?.site.leaving], [['docs/a.css'], false, []])
    // Wanted again, it does not go.
    const back = changeOf(after(second), wantedOf({ 'index.html': 'a2', 'a.css': 'a' }), options(AT + 30 * DAY))
    assert.deepEqual([back?.remove, names(back?.put.assets ?? [])], [[], ['a.css']])
    const there = new Map(second.site.files.map(({ key, size }) => [key, key === 'docs/b.html' ? size - 1 : size]))
    const healed = changeOf(after(second), same, { ...options(AT + DAY), there })
    assert.deepEqual(names(healed?.put.changedPages ?? []), ['b.html'])
  })

  test('that was begun goes on with the same documents; with others, whatever it may have put is accounted for', () => {
    const next = { 'index.html': 'a2', 'a.css': 'a', 'd.css': 'd' }
    const begun = changeOf(after(first), wantedOf(next, 'v1.1.0'), options(AT + DAY))
    assert.ok(begun)
    const half: SiteDocuments = { now: first.site, next: begun.site }
    const goesOn = changeOf(half, wantedOf(next, 'v1.1.0'), options(AT + DAY + 60_000))
    assert.deepEqual(goesOn?.site, begun.site)
    const late = changeOf(half, wantedOf(next, 'v1.1.0'), options(AT + 9 * DAY))
    assert.deepEqual(
      [late?.site.serial, late?.site.leaving],
      [3, [{ key: 'docs/b.html', removeAfter: iso(AT + 16 * DAY) }]],
    )
    // Back to what was: the top page may have been replaced by then, and d.css may be there.
    const back = changeOf(half, wantedOf({ 'index.html': 'a', 'a.css': 'a', 'b.html': 'b' }), options(AT + 2 * DAY))
    assert.deepEqual([names(back?.put.top ?? []), names(back?.put.assets ?? [])], [['index.html'], []])
    assert.deepEqual(back?.site.leaving, [{ key: 'docs/d.css', removeAfter: iso(AT + 2 * DAY + GRACE) }])
  })

  test('lies at another prefix from then on; a name that is file and folder at once is refused', () => {
    const moved = changeOf(
      after(first),
      { ...wantedOf({}), path: '', files: [{ key: 'index.html', size: 1, sha256: sha256('a') }] },
      options(),
    )
    assert.deepEqual([names(moved?.put.top ?? []), moved?.site.leaving.length], [['index.html'], 3])
    for (const [was, is] of [
      ['x', 'x/y.css'],
      ['x/y.css', 'x'],
    ] as const) {
      const old = changeOf(nothing, wantedOf({ 'index.html': 'a', [was]: '' }), options())
      assert.ok(old)
      const wanted = wantedOf({ 'index.html': 'a', [is]: '' })
      assert.throws(() => changeOf(after(old), wanted, options()), { code: 'CONTRADICTION', message: /docs\/x/ })
    }
  })

  test('its document is read back as it was written', () => {
    assert.deepEqual(parseSite(encodeSite(first.site), 'x'), first.site)
    assert.throws(
      () => parseSite(Buffer.from(encodeSite(first.site).toString().replace('docs/a.css', '_releases/latest')), 'x'),
      {
        code: 'VERIFICATION_FAILED',
      },
    )
  })
})

/** A site as its links: pages by name, each with what it names of the site. Files whose name is no page's have no links. */
type Links = Readonly<Record<string, readonly string[]>>
const NAMES = ['index.html', 'a.html', 'b.html', 'c.html', 'd.html', 'x.css', 'y.css', 'z.js'] as const
const site = fc.uniqueArray(fc.constantFrom(...NAMES.slice(1)), { maxLength: 7 }).chain((others) => {
  const files = ['index.html', ...others]
  const links = fc.array(fc.constantFrom(...files), { maxLength: 4 })
  return fc.tuple(...files.map((name) => fc.tuple(fc.constant(name), links))).map((entries): Links => {
    return Object.fromEntries(entries.map(([name, to]) => [name, isPage(name) ? to : [String(to.length)]]))
  })
})
const act = fc.record({
  links: site,
  /** After so many operations somebody else comes; never, when there are fewer. */
  dies: fc.integer({ min: 0, max: 25 }),
  pause: fc.constantFrom(0, 60_000, 2 * 3_600_000, 3 * DAY, 8 * DAY),
  order: fc.infiniteStream(fc.nat()),
})

/** Names of files that a reader is led to from the first page. */
function reached(bucket: ReadonlyMap<string, string>): readonly string[] {
  const seen = new Set<string>()
  const waiting = bucket.has('docs/index.html') ? ['docs/index.html'] : []
  for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
    if (seen.has(key)) continue
    seen.add(key)
    const text = bucket.get(key)
    if (text !== undefined && isPage(key)) waiting.push(...(JSON.parse(text) as string[]).map((name) => `docs/${name}`))
  }
  return [...seen]
}

test('whatever dies when: no page that can be reached names what is not there, and nothing goes before its time', () => {
  fc.assert(
    fc.property(fc.array(act, { minLength: 1, maxLength: 6 }), (acts) => {
      const bucket = new Map<string, string>()
      const shownUntil = new Map<string, number>()
      let documents = nothing
      let at = AT
      let left = 0
      for (const { links, dies: chosen, pause, order } of acts) {
        // Of two sites that are left half done one after the other, pages that nobody was told of may lead nowhere for a while.
        const dies = left > 0 ? 1000 : chosen
        at += pause
        for (const key of reached(bucket)) shownUntil.set(key, at)
        const contents = Object.fromEntries(Object.entries(links).map(([name, to]) => [name, JSON.stringify(to)]))
        const there = new Map([...bucket].map(([key, text]) => [key, text.length]))
        const change = changeOf(documents, wantedOf(contents), { there, at, grace: GRACE })
        if (change === null) continue
        const shuffled = (files: readonly SiteEntry[]) =>
          files.map((file) => ({ file, rank: order.next().value ?? 0 })).sort((a, b) => a.rank - b.rank)
        const { assets, newPages, begunPages, changedPages, top } = change.put
        const operations: (() => void)[] = [
          ...change.remove.map((key) => () => {
            assert.ok(
              at >= (shownUntil.get(key) ?? 0) + GRACE - HOUR,
              `${key} was shown ${(at - (shownUntil.get(key) ?? 0)) / DAY} days ago`,
            )
            bucket.delete(key)
          }),
          ...(change.announce ? [() => void (documents = { ...documents, next: change.site })] : []),
          ...[assets, newPages, begunPages, changedPages, top].flatMap((group) =>
            shuffled(group).map(
              ({ file }) =>
                () =>
                  void bucket.set(file.key, contents[file.key.slice(5)] ?? ''),
            ),
          ),
          () => void (documents = { ...documents, now: change.site }),
        ]
        for (const operation of operations.slice(0, dies)) {
          operation()
          assert.deepEqual(
            reached(bucket).filter((key) => !bucket.has(key)),
            [],
          )
        }
        left = begunOf(documents) === null ? 0 : left + 1
        if (dies >= operations.length)
          for (const [name, text] of Object.entries(contents)) assert.equal(bucket.get(`docs/${name}`), text)
        // Everything that is there is named by a document, so that it can go one day.
        const named = [documents.now, documents.next].flatMap((one) => [...(one?.files ?? []), ...(one?.leaving ?? [])])
        const known = new Set(named.map(({ key }) => key))
        assert.deepEqual(
          [...bucket.keys()].filter((key) => !known.has(key)),
          [],
        )
      }
    }),
    { numRuns: 300 },
  )
})
