import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { systemClock } from '../clock.ts'
import { PitlaneError } from '../errors.ts'
import { collectFolder, FOLDER_LIMITS, type FolderLimits } from './collect-folder.ts'
import { contentStore } from './content.ts'

/** A workspace with a site in `out/site`. */
function world(t: TestContext, files: Readonly<Record<string, string>> = { 'index.html': 'top', 'css/a.css': 'a' }) {
  const root = mkdtempSync(join(tmpdir(), 'pitlane-folder-'))
  t.after(() => rmSync(root, { recursive: true }))
  const site = join(root, 'workspace/out/site')
  mkdirSync(site, { recursive: true })
  const write = (name: string | Buffer, text: string) => {
    const path = Buffer.concat([Buffer.from(`${site}/`), Buffer.from(name)])
    mkdirSync(dirname(path.toString()), { recursive: true })
    writeFileSync(path, text)
  }
  for (const [name, text] of Object.entries(files)) write(name, text)
  const content = contentStore(join(root, 'content'), systemClock)
  const collected = (limits: FolderLimits = FOLDER_LIMITS, path = 'out/site') =>
    collectFolder(join(root, 'workspace'), path, content, { limits })
  const refused = async (limits?: FolderLimits, path?: string) => {
    const error = await collected(limits, path).then(
      () => assert.fail('it was collected'),
      (reason: unknown) => reason,
    )
    assert.ok(error instanceof PitlaneError && error.hint !== undefined, String(error))
    return `${error.code}: ${error.message}`
  }
  return { root, site, write, content, collected, refused }
}

test('every file of a folder is stored by its digest: also empty ones, hidden ones, and what links inside it lead to', async (t) => {
  const { site, write, content, collected } = world(t)
  write('.nojekyll', '')
  write('ü b/größe.html', 'x')
  symlinkSync('../css/a.css', join(site, 'ü b/link.css'))
  symlinkSync('css', join(site, 'styles'))
  const files = await collected()
  assert.deepEqual(
    files.map(({ path, size }) => [path, size]),
    [
      ['.nojekyll', 0],
      ['css/a.css', 1],
      ['index.html', 3],
      ['styles/a.css', 1],
      ['ü b/größe.html', 1],
      ['ü b/link.css', 1],
    ],
  )
  for (const { sha256 } of files) assert.equal(await content.inspect(sha256), 'whole')
  assert.equal((await content.list()).length, 4)
})

test('what is no file of the site is refused, and said which', async (t) => {
  const refusals: [(made: ReturnType<typeof world>) => void, RegExp][] = [
    [
      ({ site }) => symlinkSync('/etc/passwd', join(site, 'a')),
      /^OUTPUT_UNFIT: out\/site\/a is a link: .* to \/etc\/passwd$/,
    ],
    [
      ({ site, root }) => (
        writeFileSync(join(root, 'workspace/secret'), 's'), symlinkSync('../../secret', join(site, 'a'))
      ),
      /site\/a is a link: .*leads out/,
    ],
    [({ site }) => symlinkSync('nowhere', join(site, 'a')), /site\/a is a link to nothing/],
    [({ site }) => symlinkSync('..', join(site, 'css/a')), /css\/a is a link to a folder that it is in/],
    [({ site }) => spawnSync('mkfifo', [join(site, 'a')]), /site\/a is a named pipe, not a regular file/],
    [({ write }) => write('new\nline', ''), /site\/new\\nline has a control character/],
    [({ write }) => write('a\u202egnp.exe', ''), /site\/a\?gnp.exe has an invisible character/],
    [({ write }) => write(Buffer.from([0x61, 0xff]), ''), /has a name that is not UTF-8/],
    [({ write }) => write('back\\slash', ''), /backslash/],
    [({ write }) => write('.git/config', ''), /site\/.git belongs to git/],
    [({ write }) => write(`${'d/'.repeat(40)}a`, ''), /deeper than 32 folders/],
    [
      ({ write }) => write(`${'long/'.repeat(20)}${'l'.repeat(250)}/${'l'.repeat(250)}/${'l'.repeat(250)}`, ''),
      /a path longer than 700 bytes/,
    ],
    [({ site }) => rmSync(join(site, 'index.html')), /^OUTPUT_UNFIT: out\/site has no index.html at its top$/],
    [({ site }) => (rmSync(site, { recursive: true }), writeFileSync(site, '')), /out\/site is a file, not a folder/],
    [({ site }) => rmSync(site, { recursive: true }), /^OUTPUT_MISSING: out\/site was not built$/],
    [({ site }) => (rmSync(site, { recursive: true }), symlinkSync('/etc', site)), /leads out of the stage folder/],
  ]
  for (const [spoil, expected] of refusals) {
    const made = world(t)
    spoil(made)
    assert.match(await made.refused(), expected)
  }
})

test('there are limits on their number and their sizes', async (t) => {
  const { refused } = world(t)
  assert.match(await refused({ ...FOLDER_LIMITS, files: 1 }), /is one of more than 1 files/)
  assert.match(await refused({ ...FOLDER_LIMITS, total: 3 }), /makes it larger than 3 bytes/)
  assert.match(await refused({ ...FOLDER_LIMITS, file: 2 }), /index.html has 3 bytes, more than 2/)
})
