import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changelogSection } from './changelog.ts'

const section = (text: string, version: string) => changelogSection(Buffer.from(text), version)

test('every usual way to write the heading of a version', () => {
  const headings = [
    '## [1.2.0] - 2025-06-13',
    '## [1.2.0](https://example.org/compare/a...b) (2025-06-13)',
    '## v1.2.0 - 2025-06-13',
    '## 1.2.0',
    '# 1.2.0 (June 2025)',
    '### Version 1.2.0',
    '## v1.2.0:',
    '## [v1.2.0][link]',
    '1.2.0 / 2025-06-13\n==================',
    'v1.2.0\n------',
  ]
  for (const heading of headings) {
    const text = `# Changelog\n\n## 1.3.0\n\nnewer\n\n${heading}\n\n- one\n\n- two\n`
    assert.equal(section(text, 'v1.2.0'), '- one\n\n- two', heading)
    assert.equal(section(text, '1.2.0'), '- one\n\n- two', heading)
  }
})

test('a section ends at the next heading of the same rank, keeps its own headings, and loses the link definitions', () => {
  const text =
    '## [1.2.0]\r\n\r\n### Added\r\n- x\r\n```sh\r\n# no heading\r\n## 1.0.0\r\n```\r\n### Fixed\r\n    indented\r\n## [1.1.0]\r\n- old\r\n\r\n[1.2.0]: https://example.org\r\n[1.1.0]: https://example.org\r\n'
  assert.equal(section(text, 'v1.2.0'), '### Added\n- x\n```sh\n# no heading\n## 1.0.0\n```\n### Fixed\n    indented')
  assert.equal(section(text, 'v1.1.0'), '- old')
  assert.equal(section(text, 'v1.0.0'), null)
})

test('a version is not found in a longer one, and an empty section is none', () => {
  assert.equal(section('## 1.2.0-rc1\nx\n## 1.2.0.1\ny\n## 11.2.0\nz\n', 'v1.2.0'), null)
  assert.equal(section('## 1.2.0\n\n## 1.1.0\nx\n', 'v1.2.0'), null)
  assert.equal(section('', 'v1.2.0'), null)
  assert.equal(changelogSection(Buffer.from([0xff, 0xfe, 0x0a]), 'v1'), null)
})

test('a huge changelog takes linear time', () => {
  // A quadratic search would not end within the limit of a test.
  assert.equal(section('[('.repeat(3_000_000), 'v1'), null)
  assert.equal(section('# [\n'.repeat(1_000_000), 'v1'), null)
})
