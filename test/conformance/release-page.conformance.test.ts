// The page of real releases in Chromium: no complaint, no dead link, and every command it shows is run as it stands there.
// Debian: chromium curl minisign openssl skopeo podman.
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import type { Browser } from 'playwright-core'
import { KEYS } from '../../src/plan/keys.ts'
import { axeViolations, chromiumIsInstalled, launchChromium, openPage } from '../browser/chromium.ts'
import { absentPrograms, runProgram } from '../world/program.ts'
import { type Published, publishWorld } from '../world/published.ts'

interface Block {
  readonly title: string
  readonly text: string
}

const BLOCKS = `[...document.querySelectorAll('.commands')].map((block) => ({
  title: block.querySelector('h3, h4').textContent, text: block.querySelector('pre').textContent }))`

describe('the page of real releases', { skip: chromiumIsInstalled() ? false : 'chromium is not installed' }, () => {
  let world: Published
  let browser: Browser
  let address = ''
  before(async () => {
    world = await publishWorld()
    browser = await launchChromium()
    address = `${world.address}/${KEYS.page}`
  })
  after(async () => {
    await browser?.close()
    await world?.close()
  })

  test('over HTTP and from the folder, at phone and desktop width: nothing to complain about', async () => {
    for (const from of [address, pathToFileURL(join(world.bucket, KEYS.page)).href]) {
      for (const width of [390, 1280]) {
        const { page, complaints } = await openPage(browser, from, { width })
        assert.deepEqual(await axeViolations(page), [])
        assert.equal(await page.getByRole('heading', { level: 1 }).innerText(), 'toy v1.10.0')
        const body = await page.evaluate('document.body.textContent')
        for (const version of [...world.stable, world.development]) assert.ok(String(body).includes(version))
        await page.context().close()
        assert.deepEqual(complaints, [])
      }
    }
  })

  test('every link of the page and every address of the lists leads somewhere', async () => {
    const { page } = await openPage(browser, address, { width: 1280 })
    const links = await page.evaluate<string[]>('[...document.links].map((link) => link.href)')
    await page.context().close()
    const lists = [KEYS.index, KEYS.garageList, KEYS.atomAll, KEYS.atomStable].map((key) =>
      readFileSync(join(world.bucket, key), 'utf8'),
    )
    const listed = lists.flatMap((text) => text.match(/http:\/\/127\.0\.0\.1:\d+\/[^"<\s]+/g) ?? [])
    const all = new Set([...links, ...listed].map((link) => link.replace(/#.*/, '')))
    assert.ok(all.size > 30, `${all.size} addresses`)
    for (const link of all) {
      assert.ok(link.startsWith(`${world.address}/`), link)
      assert.equal((await fetch(link)).status, 200, link)
    }
    assert.deepEqual(world.notFound, [])
  })

  test('every command that it shows does what it says, as it stands there', async (t) => {
    const absent = absentPrograms('sh', 'curl', 'sha256sum', 'minisign', 'openssl')
    if (absent.length > 0) return t.skip(`not installed: ${absent.join(', ')}`)
    const { page } = await openPage(browser, address, { width: 1280 })
    const blocks = await page.evaluate<Block[]>(BLOCKS)
    await page.context().close()
    const home = mkdtempSync(join(world.root, 'stranger-'))
    // An installed `pitlane`, and a place of our own for what install.sh installs.
    const bin = join(home, 'programs')
    mkdirSync(bin)
    const from = (path: string) => new URL(path, import.meta.url).pathname
    const [jsx, entry] = [from('../../scripts/jsx.ts'), from('../../bin/pitlane-dev.ts')]
    writeFileSync(join(bin, 'pitlane'), `#!/bin/sh\nexec '${process.execPath}' --import '${jsx}' '${entry}' "$@"\n`)
    chmodSync(join(bin, 'pitlane'), 0o755)
    const env = { PATH: `${bin}:${process.env['PATH']}`, HOME: home, PITLANE_DIR: join(home, 'installed') }

    const met = new Set<string>()
    let folder = home
    for (const { title, text } of blocks) {
      met.add(title)
      // Loading an image needs a storage of its own: the conformance test of the release does that.
      if (title.includes('image')) continue
      // What follows on the digest is about the list that was downloaded there.
      if (title === 'Digest') folder = mkdtempSync(join(home, 'verify-'))
      const { status, stdout, stderr } = await runProgram('sh', ['-e'], { cwd: folder, env, input: `${text}\n` })
      assert.equal(status, 0, `${title}\n${text}\n${stdout}${stderr}`)
    }
    for (const title of ['One line', 'Look first', 'Digest', 'Everything, with Pitlane'])
      assert.ok(met.has(title), title)
    for (const title of ['minisign', 'OpenSSL'])
      assert.ok(
        [...met].some((one) => one.includes(title)),
        title,
      )
  })
})
