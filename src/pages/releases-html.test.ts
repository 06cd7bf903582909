import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { BuiltDocument } from '../release/document.ts'
import { catalogue, type SiteInput } from './catalogue.ts'
import { exampleDocument, exampleDocuments, exampleImage, exampleSite } from './fixtures/documents.ts'
import { releasesPage } from './releases-html.tsx'

const page = (changes: Partial<SiteInput> = {}) => releasesPage(catalogue(exampleSite(changes)))

/** The names of all elements and the names of all attributes, in order: what outsiders' text must not change. */
function skeleton(html: string): string {
  return [...html.matchAll(/<(\/?[a-z][a-z0-9]*)((?:\s+[^\s=>"]+(?:="[^"]*")?)*)\s*\/?>/g)]
    .map(([, name, attributes = '']) => `${name}${attributes.replace(/="[^"]*"/g, '')}`)
    .join('\n')
}

/** A document that has the text in every field that an outsider can fill. */
function filled(version: string, text: string): BuiltDocument {
  const document = exampleDocument(version)
  const image = exampleImage(version)
  return {
    ...document,
    name: text,
    subject: text,
    builder: { ...document.builder, pitlane: text, executor: text },
    promotion: { actor: text, reason: text, build: 1 },
    files: document.files.map((file) => ({ ...file, name: text, target: text, platform: text, mediaType: text })),
    image: { ...image, repository: text, tag: text },
    checks: [{ name: text, result: 'passed' }],
    tests: [{ target: text, platform: text, result: 'not-run', mode: null, binarySha256: null, reason: text }],
  }
}

const hostile = fc.oneof(
  fc.constantFrom(
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='x",
    '</style><script>',
    '--><b>',
    '&lt;b&gt;',
    '\u202egnp.exe',
    'javascript:alert(1)',
    '</pre></code></main>',
  ),
  fc.string({
    unit: fc.constantFrom('<', '>', '"', "'", '&', '/', '=', 'a', '`', '\u202e', '\0'),
    minLength: 1,
    maxLength: 20,
  }),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 30 }),
)

function siteOf(text: string): Partial<SiteInput> {
  return { name: text, documents: [filled('v2.0.0', text), filled('v1.0.0', text)] }
}

test('text of outsiders adds no element and no attribute, wherever it stands', () => {
  const expected = skeleton(page(siteOf('word')))
  fc.assert(
    fc.property(hostile, (text) => {
      const html = page(siteOf(`x${text}`))
      assert.equal(skeleton(html), expected)
      assert.doesNotMatch(html, /[\0\u202a-\u202e\u2066-\u2069]/)
    }),
    { numRuns: 150 },
  )
})

test('notes become paragraphs, lists, headings and code, and nothing else', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(hostile, fc.constantFrom('- item', '# head', '```', '', '`x`')), { maxLength: 12 }),
      (lines) => {
        const html = page({ documents: [exampleDocument('v1.0.0', { notes: lines.join('\n') })] })
        const notes = /<div class="notes">(.*?)<\/div>/s.exec(html)?.[1] ?? ''
        const names = new Set([...notes.matchAll(/<([a-z0-9]+)/gi)].map((match) => match[1]))
        for (const name of ['p', 'ul', 'li', 'h3', 'pre', 'code', 'bdi']) names.delete(name)
        assert.deepEqual([...names], [])
      },
    ),
    { numRuns: 150 },
  )
})

test('links of outsiders lead nowhere: only web addresses become source links', () => {
  assert.doesNotMatch(page({ sourceUrl: 'javascript:alert(1)' }), /javascript:/)
  assert.match(page(), /href="https:\/\/git\.example\.org\/pitcrew\/verifier\/commit\//)
})

test('the policy forbids everything but the style and the script that are on the page', () => {
  const html = page()
  const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1] ?? ''
  assert.match(policy, /^default-src 'none'; /)
  assert.doesNotMatch(policy, /unsafe|\*|https?:/)
  for (const element of ['style', 'script']) {
    const contents = [...html.matchAll(new RegExp(`<${element}>(.*?)</${element}>`, 'gs'))].map(
      (match) => match[1] ?? '',
    )
    assert.equal(contents.length, 1)
    const hash = createHash('sha256')
      .update(contents[0] ?? '')
      .digest('base64')
    assert.ok(policy.includes(`${element}-src 'sha256-${hash}'`), element)
  }
  assert.doesNotMatch(html, / style="| on[a-z]+="/)
  assert.ok(html.indexOf('Content-Security-Policy') < html.indexOf('<style'))
})

test('nothing on the page is fetched from anywhere else', () => {
  assert.doesNotMatch(page(), /<(?:img|iframe|object|embed|video|audio|source)\b| src=/)
  for (const [, href] of page().matchAll(/<link[^>]*href="([^"]*)"/g)) assert.match(href ?? '', /^(_releases\/|data:,)/)
})

test('what did not run is called not run, with its reason', () => {
  const html = page()
  assert.match(html, /not run<\/span>.*?qemu-arm-static is not installed/s)
  assert.match(html, /tested on 3 of 4 platforms/)
  assert.match(html, /passed natively/)
  assert.match(html, /passed under qemu/)
})

test('an unsigned newest release says so', () => {
  const html = page({ documents: exampleDocuments().filter(({ version }) => version === 'v0.9.0') })
  assert.match(html, /This release is not signed/)
  assert.doesNotMatch(html, /minisign -V/)
  assert.doesNotMatch(page(), /This release is not signed/)
})

test('with nothing released, and with nothing stable', () => {
  const empty = page({ documents: [] })
  assert.match(empty, /Nothing has been released yet/)
  assert.doesNotMatch(empty, /install\.sh \| sh/)
  const html = page({ documents: exampleDocuments().filter(({ channel }) => channel === 'extra') })
  assert.match(html, /There is no stable release yet/)
  assert.match(html, /sh -s -- --version v1\.11\.0-rc1/)
})

test('ids are there once, and links within the page lead to one', () => {
  const html = page()
  const ids = [...html.matchAll(/ id="([^"]*)"/g)].map((match) => match[1])
  assert.equal(new Set(ids).size, ids.length)
  for (const { version } of exampleDocuments()) assert.ok(ids.includes(version), version)
  for (const [, target] of html.matchAll(/href="#([^"]*)"/g)) assert.ok(ids.includes(target), target)
})

test('an image in a folder of the releaser: digests to compare, and no command that works nowhere else', () => {
  const html = page({
    documents: exampleDocuments().map((document) => {
      if (document.image === null) return document
      const { registry: _, ...image } = document.image
      return { ...document, image: { ...image, layout: '../images' } }
    }),
  })
  assert.doesNotMatch(html, /skopeo|docker pull|\.\.\/images/)
  const { image } = exampleDocuments().find(({ version }) => version === 'v1.10.0') ?? assert.fail()
  for (const { digest } of [...(image?.platforms ?? []), image ?? assert.fail()]) assert.ok(html.includes(digest))
})

test('nobody’s address is on the page, also of documents that hold one', () => {
  const html = page({
    documents: exampleDocuments().map((document) => ({
      ...document,
      promotion: { ...document.promotion, actor: 'Mira <mira@example.org>' },
    })),
  })
  assert.match(html, /by Mira,/)
  assert.doesNotMatch(html, /mira@example\.org/)
})
