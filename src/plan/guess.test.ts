import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { parseConfiguration } from './dialects/pitlane/parse.ts'
import { INTERESTING_FILES } from './ecosystems.ts'
import { assertGolden } from './golden-file.ts'
import { guessConfiguration } from './guess.ts'

const REPOSITORIES: readonly (readonly [string, string, Readonly<Record<string, string>>])[] = [
  [
    'cargo',
    'my tool',
    { 'Cargo.toml': '[package]\nversion = "1.0"\nname = "tool"\n[dependencies]\n', 'Cargo.lock': '', Makefile: '' },
  ],
  ['cargo-workspace', 'garage', { 'Cargo.toml': '[workspace]\nmembers = ["src/*"]\n' }],
  ['go', 'x', { 'go.mod': 'module example.org/team/tool/v2\n\ngo 1.24\n', 'main.go': '' }],
  ['go-commands', 'x', { 'go.mod': 'module example.org/team/tool\n', 'cmd/other/main.go': '', 'cmd/tool/main.go': '' }],
  ['zig', 'x', { 'build.zig': 'exe(.{ .name = "tool" }); b.step("test", "Run");', 'src/main.zig': '' }],
  ['make', 'tool', { Makefile: 'CC := gcc\nrelease: tool\nlint:\n\ttrue\ntest: tool\n\t./test\n' }],
  [
    'npm',
    'site',
    { 'package.json': '{"scripts":{"lint":"x","test":"y","format:check":"z"}}', 'package-lock.json': '' },
  ],
  ['nothing', '1.10', { 'README.md': '' }],
]

test('what is written for each kind of project: for review, and it parses', () => {
  for (const [kind, folder, files] of REPOSITORIES) {
    const { text, open } = guessConfiguration({ folder, files: new Map(Object.entries(files)) })
    assertGolden(new URL(`golden/init-${kind}.yaml`, import.meta.url), text)
    const configuration = parseConfiguration('pitlane.yaml', Buffer.from(text))
    assert.equal(configuration.release === null, kind === 'npm' || kind === 'nothing')
    for (const sentence of open) assert.ok(text.includes(`# - ${sentence}`), sentence)
    assert.ok(
      kind === 'go' || open.length > 1 || kind === 'nothing' || kind === 'npm' || kind === 'go-commands',
      kind,
    )
  }
})

test('everything that stands in the file as a comment works when it is uncommented', () => {
  for (const [kind, folder, files] of REPOSITORIES) {
    const { text } = guessConfiguration({ folder, files: new Map(Object.entries(files)) })
    const uncommented = text.replaceAll(/^( *)# (?=(?: *)(?:- |[a-z]+:(?: |$)))/gm, '$1').replace(/^- [A-Z].*$/gm, '')
    assert.notEqual(uncommented, text)
    const { release } = parseConfiguration('pitlane.yaml', Buffer.from(uncommented))
    assert.ok(release, kind)
    if (kind !== 'npm' && kind !== 'nothing')
      assert.ok(release.image && release.test && release.targets.length === 4, kind)
  }
})

test('whatever lies in a repository, the file parses', () => {
  const content = fc.oneof(
    fc.constant('[package]\nname = "a/../../b"\n.name = "a/../../b"\nmodule ..\n'),
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc
      .string({ maxLength: 20 })
      .map((name) => `[package]\nname = "${name}"\nmodule ${name}\n.name = "${name}"\n${name}: x\n`),
    fc.json(),
  )
  const file = fc.tuple(
    fc.oneof(
      fc.constantFrom(...INTERESTING_FILES),
      fc.string().map((name) => `cmd/${name}/main.go`),
    ),
    content,
  )
  fc.assert(
    fc.property(fc.string({ maxLength: 80 }), fc.array(file, { maxLength: 4 }), (folder, files) => {
      const { text } = guessConfiguration({ folder, files: new Map(files) })
      parseConfiguration('pitlane.yaml', Buffer.from(text))
    }),
    { numRuns: 300 },
  )
})
