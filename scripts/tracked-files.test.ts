// What must never be committed, because it holds on one machine only.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { test } from 'node:test'

const git = spawnSync('git', ['ls-files', '-z'], { encoding: 'utf8' })
const files = git.stdout?.split('\0').filter((file) => file !== '' && existsSync(file)) ?? []
const skip = git.status === 0 ? false : 'not a git checkout'

/** The words are put together here, so that this file is not found itself. */
const word = (...parts: readonly string[]) => parts.join('')

/** Hosts that packages are downloaded from: where from is for npm's, Go's and apt's own settings to say. */
const REGISTRIES = [
  word('registry.', 'npmjs.org'),
  word('registry.', 'yarnpkg.com'),
  word('npm.pkg.', 'github.com'),
  word('registry.', 'npmmirror.com'),
  word('proxy.', 'golang.org'),
  word('static.', 'crates.io'),
  word('index.', 'crates.io'),
  word('files.', 'pythonhosted.org'),
  word('deb.', 'debian.org'),
]

/** Folders of the machine that this is, and of those that it was written on. */
function folders(): readonly string[] {
  const here = [process.cwd(), realpathSync('.'), homedir()].filter((folder) => folder.lastIndexOf('/') > 0)
  return [...new Set([...here.map((folder) => `${folder}/`), word('/ro', 'ot/'), word('/wo', 'rk/')])]
}

/** `file:line` wherever one of these stands. */
function places(needles: readonly string[], inFiles: readonly string[]): readonly string[] {
  return inFiles.flatMap((file) => {
    const text = readFileSync(file, 'latin1')
    if (!needles.some((needle) => text.includes(needle))) return []
    return text
      .split('\n')
      .flatMap((line, index) => (needles.some((needle) => line.includes(needle)) ? [`${file}:${index + 1}`] : []))
  })
}

test('no tracked file names the host of a package registry', { skip }, () => {
  assert.deepEqual(places(REGISTRIES, files), [])
})

test('no tracked file names a folder of the machine', { skip }, () => {
  assert.deepEqual(places(folders(), files), [])
})

test('lockfiles say what to install and never where from', { skip }, () => {
  const lockfiles = files.filter((file) => /(^|\/)(package-lock|npm-shrinkwrap)\.json$/.test(file))
  assert.ok(lockfiles.length >= 2, `lockfiles: ${lockfiles.join(', ')}`)
  assert.deepEqual(places(['"resolved"', 'http://', 'git+'], lockfiles), [])
  // npm repeats what a package says about its funding; nothing is downloaded from there.
  const addresses = lockfiles.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/"([a-z]+)": "https:[^"]*"/g)].map((match) => match[1]),
  )
  assert.deepEqual(
    [...new Set(addresses)].filter((key) => key !== 'url' && key !== 'funding'),
    [],
  )
})
