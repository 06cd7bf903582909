import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { requireOwnPlaces } from './places.ts'

const root = mkdtempSync(join(tmpdir(), 'pitlane-places-'))
after(() => rmSync(root, { recursive: true }))
const folder = join(root, 'project')
for (const name of ['.git', '.pitlane', 'images']) mkdirSync(join(folder, name), { recursive: true })
symlinkSync('.git', join(folder, 'link'))
symlinkSync('images', join(folder, 'public'))

const check = (bucket: string, registry: string | null = null) =>
  requireOwnPlaces({ bucket, registry }, { folder, file: 'pitlane.yaml' })

test('folders of their own are taken, whether they are there or not', () => {
  for (const bucket of ['bucket', './a/b', '..', '../elsewhere', join(root, 'x/y'), join(folder, 'bucket')])
    check(bucket)
  check('bucket', join(folder, 'images'))
  check('../out/bucket', '../out/images')
})

test('the project itself and what git and Pitlane keep in it are no places to publish to, however they are written', () => {
  for (const [bucket, registry, expected] of [
    ['../project', null, /publish\.bucket: .* \.\.\/project is the project itself/],
    [folder, null, /is the project itself/],
    [join(folder, '.pitlane/bucket'), null, /publish\.bucket: .* a place in .*\/\.pitlane$/],
    ['../project/.git/x', null, /a place in .*\/\.git$/],
    ['link/x', null, /a place in .*\/\.git$/],
    ['bucket', 'link', /publish\.registry: .* a place in .*\/\.git$/],
    ['public', 'images', /lie inside each other/],
    [join(folder, 'images/bucket'), 'images', /lie inside each other/],
  ] as const) {
    assert.throws(() => check(bucket, registry), { code: 'CONFIG_INVALID', message: expected }, bucket)
  }
})
