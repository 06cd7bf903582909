// The release page in Chromium: nothing that axe finds, nothing that the console says, nothing out of reach.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import {
  exampleDocument,
  exampleDocuments,
  exampleImage,
  exampleSite,
  manyDocuments,
} from '../../src/pages/fixtures/documents.ts'
import { documentationOf, documented } from '../../src/pages/fixtures/documentation.ts'
import { withdrawnStates } from '../../src/pages/fixtures/states.ts'
import { renderSite } from '../../src/pages/site.ts'
import { type ReleaseDocument } from '../../src/release/document.ts'
import type { States } from '../../src/release/states/state-document.ts'
import { KEYS } from '../../src/plan/keys.ts'
import { axeViolations, chromiumIsInstalled, launchChromium, openPage } from '../browser/chromium.ts'

const folder = mkdtempSync(join(tmpdir(), 'pitlane-page-'))

/** Words as long as they can be, where nothing can be broken; text that tries to turn the page around. */
function unwieldy(): ReleaseDocument[] {
  const long = `v1.0.0-${'x'.repeat(110)}`
  const name = 'a-binary-with-a-very-long-name-'.repeat(4)
  const document = exampleDocument(long, {
    notes: `${'w'.repeat(300)}\n\n- ${'`y`'.repeat(90)}\n\n    code ${'z'.repeat(200)}`,
  })
  return ['stable', 'extra', 'development'].flatMap((channel, at) =>
    [0, 1].map((copy) => ({
      ...document,
      version: `${long}${at}${copy}`,
      channel,
      subject: `\u202eevil <b>${'s'.repeat(300)}`,
      files: document.files.map((file) => ({ ...file, name, path: `${file.path}-${name}` })),
      image: { ...exampleImage(long), layout: '../images' },
      checks: [{ name: 'c'.repeat(200), result: 'passed' as const }],
      tests: document.tests.map((result) => ({ ...result, reason: 'r'.repeat(200) })),
    })),
  )
}

const sites: Readonly<Record<string, readonly ReleaseDocument[]>> = {
  example: exampleDocuments(),
  empty: [],
  'nothing stable': exampleDocuments().filter(({ channel }) => channel !== 'stable'),
  unsigned: exampleDocuments().filter(({ version }) => version === 'v0.9.0'),
  many: manyDocuments(60),
  unwieldy: unwieldy(),
  withdrawn: exampleDocuments(),
  'all withdrawn': exampleDocuments(),
  'many, some withdrawn': manyDocuments(60),
  documented: documented(exampleDocuments()),
  'many documented': documented(manyDocuments(60)),
}

/** As long as a reason may be, and nothing in it to break at. */
const LONG = 'w'.repeat(1000)
const states: Readonly<Record<string, States>> = {
  withdrawn: withdrawnStates({ 'v1.10.0': ['loses <b>data</b>', 'v1.9.0'], 'v1.11.0-rc1': [LONG, null] }),
  'all withdrawn': withdrawnStates(
    Object.fromEntries(exampleDocuments().map(({ version }) => [version, [LONG, null] as const])),
  ),
  'many, some withdrawn': withdrawnStates({ 'v0.0.4': [LONG, 'v0.5.6'], 'v0.5.6': ['the newest one', 'v0.5.5'] }),
}

function addressOf(name: string): string {
  return pathToFileURL(join(folder, name, KEYS.page)).href
}

const openAll = 'document.querySelectorAll("details").forEach((element) => { element.open = true })'
const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'

let browser: Browser

async function withPage(
  name: string,
  looks: Parameters<typeof openPage>[2],
  look: (page: Page) => Promise<void>,
): Promise<void> {
  const { page, complaints } = await openPage(browser, addressOf(name), looks)
  try {
    await look(page)
    assert.deepEqual(complaints, [])
  } finally {
    await page.context().close()
  }
}

describe('the page in Chromium', { skip: chromiumIsInstalled() ? false : 'chromium is not installed' }, () => {
  before(async () => {
    for (const [name, documents] of Object.entries(sites)) {
      mkdirSync(join(folder, name, KEYS.releases), { recursive: true })
      const documentation = name.includes('documented') ? documentationOf('v1.10.0') : null
      for (const file of renderSite(exampleSite({ documents, documentation, states: states[name] ?? new Map() })))
        writeFileSync(join(folder, name, file.key), file.bytes)
    }
    browser = await launchChromium()
  })
  after(async () => {
    await browser.close()
    rmSync(folder, { recursive: true })
  })

  for (const name of Object.keys(sites)) {
    for (const width of [390, 1280]) {
      for (const colorScheme of ['light', 'dark'] as const) {
        test(`${name}, ${width} px, ${colorScheme}: axe finds nothing, closed and open`, async () => {
          await withPage(name, { width, colorScheme }, async (page) => {
            assert.deepEqual(await axeViolations(page), [])
            await page.evaluate(openAll)
            assert.deepEqual(await axeViolations(page), [])
          })
        })
      }
    }
    test(`${name}: nothing to scroll sideways, from 320 px on`, async () => {
      for (const width of [320, 390, 600, 768, 1024, 1280]) {
        await withPage(name, { width }, async (page) => {
          await page.evaluate(openAll)
          assert.equal(await page.evaluate(overflow), 0, `${width} px`)
        })
      }
    })
  }

  test('without JavaScript everything is there but the copy buttons', async () => {
    await withPage('example', { width: 1280, javaScript: false }, async (page) => {
      assert.equal(await page.getByRole('button', { name: /copy/i }).count(), 0)
      assert.equal(await page.getByRole('heading', { level: 1 }).innerText(), 'verifier v1.10.0')
      await page.getByText('v1.9.0', { exact: true }).first().click()
      assert.ok(await page.getByText('Faster').isVisible())
    })
  })

  test('everything that does something is reached by keyboard, in the order of the page, and shows it', async () => {
    await withPage('example', { width: 1280 }, async (page) => {
      const count = await page.evaluate<number>(
        '[...document.querySelectorAll("a[href], button, summary, [tabindex]")].filter((element) => element.checkVisibility()).length',
      )
      let last = -1
      for (let index = 0; index < count; index++) {
        await page.keyboard.press('Tab')
        const [position, outline, words] = await page.evaluate<[number, string, string]>(
          '[[...document.querySelectorAll("*")].indexOf(document.activeElement), getComputedStyle(document.activeElement).outlineStyle, document.activeElement.outerHTML]',
        )
        assert.ok(position > last, `${words} comes after what was before it`)
        assert.equal(outline, 'solid', `${words} shows the focus`)
        last = position
      }
    })
  })

  test('an address with a version opens that version', async () => {
    const { page } = await openPage(browser, `${addressOf('example')}#v1.0.0`, { width: 390 })
    assert.ok(await page.getByText('The first stable release.').isVisible())
    await page.context().close()
  })

  test('a screen reader meets tables, landmarks and an outline without gaps', async () => {
    for (const width of [390, 1280]) {
      await withPage('example', { width }, async (page) => {
        const table = page.getByRole('table', { name: /Files of v1\.10\.0/ })
        assert.equal(await table.getByRole('row').count(), 5)
        assert.equal(await table.getByRole('columnheader').count(), 4)
        assert.equal(await table.getByRole('rowheader', { name: /ARMv6/ }).count(), 1)
        assert.ok(await table.getByRole('link', { name: 'Download verifier for AArch64 (64-bit ARM)' }).isVisible())
        assert.equal(await page.getByRole('main').count(), 1)
        assert.equal(await page.getByRole('region', { name: 'Verify' }).count(), 1)
        const levels = await page.evaluate<number[]>(
          '[...document.querySelectorAll("h1,h2,h3,h4,h5,h6")].map((heading) => Number(heading.tagName[1]))',
        )
        assert.equal(levels[0], 1)
        for (const [index, level] of levels.entries()) assert.ok(level - (levels[index - 1] ?? 0) <= 1)
      })
    }
  })

  test('the row of this machine is marked, and only that one', async () => {
    await withPage('example', { width: 1280 }, async (page) => {
      const platform = await page.evaluate<string>('navigator.platform')
      const marked = await page.locator('tr.here').count()
      assert.equal(marked, platform === 'Linux x86_64' || platform === 'Linux aarch64' ? 1 : 0)
    })
  })

  for (const name of ['example', 'unwieldy']) {
    test(`${name}: on a phone, no command is cut off, and what is copied has the lines as they are`, async () => {
      await withPage(name, { width: 390 }, async (page) => {
        await page.evaluate(openAll)
        const cut =
          '[...document.querySelectorAll(".commands pre")].filter((pre) => pre.scrollWidth > pre.clientWidth).length'
        assert.equal(await page.evaluate(cut), 0)
        const [shown, selected] = await page.evaluate<[string, string]>(`(() => {
          const pre = [...document.querySelectorAll('.commands pre')].find((one) => one.textContent.includes('\\\n'))
          getSelection().selectAllChildren(pre)
          return [pre.textContent, getSelection().toString()]
        })()`)
        assert.equal(selected.trimEnd(), shown)
      })
    })
  }

  test('on paper, commands wrap and buttons are gone', async () => {
    await withPage('example', { width: 800 }, async (page) => {
      await page.emulateMedia({ media: 'print' })
      assert.equal(await page.getByRole('button').count(), 0)
      assert.equal(
        await page.evaluate(
          '[...document.querySelectorAll("pre")].filter((pre) => pre.scrollWidth > pre.clientWidth).length',
        ),
        0,
      )
    })
  })
})
