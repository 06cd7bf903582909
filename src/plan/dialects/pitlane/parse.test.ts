import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { PitlaneError } from '../../../errors.ts'
import { parseConfiguration } from './parse.ts'

const fixture = (name: string) => readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8')
const parse = (text: string) => parseConfiguration('pitlane.yaml', Buffer.from(text))

function messageOf(text: string | Buffer): string {
  try {
    parseConfiguration('pitlane.yaml', Buffer.from(text))
  } catch (error) {
    assert.ok(error instanceof PitlaneError, String(error))
    assert.equal(error.code, 'CONFIG_INVALID')
    const [, line, column] = /^pitlane\.yaml:(\d+):(\d+): /.exec(error.message) ?? []
    assert.deepEqual(error.place, { file: 'pitlane.yaml', line: Number(line), column: Number(column) })
    return error.message
  }
  return 'no error'
}

/** The small file with one line replaced. */
function small(from: string, to: string): string {
  const text = fixture('small.yaml')
  assert.ok(text.includes(from), from)
  return text.replace(from, () => to)
}

test('every key is understood', () => {
  const configuration = parse(fixture('full.yaml'))
  assert.deepEqual(
    configuration.channels.map(({ name }) => name),
    ['stable', 'preview', 'extra'],
  )
  assert.deepEqual(
    configuration.checks.map(({ name, needs, timeout }) => [name, needs, timeout]),
    [
      ['format', [], 300_000],
      ['lint', [], 3_600_000],
      ['build', [], 3_600_000],
      ['unit', ['build'], 3_600_000],
      ['integration', ['build', 'lint'], 7_200_000],
    ],
  )
  assert.equal(configuration.checks[3]?.run, 'cargo test --workspace\ncargo test --features sqlite\n')
  assert.deepEqual(configuration.release?.test?.required, ['x86_64-unknown-linux-musl', 'i686-unknown-linux-musl'])
  assert.deepEqual(Object.entries(configuration.release?.image?.env ?? {})[0], ['RUST_LOG', 'garage=info'])
  assert.deepEqual(configuration.release?.publish, {
    bucket: 'public/',
    registry: 'images',
    public: 'https://example.org/garage',
  })
})

test('defaults are filled in, and checks without `after` run one after the other', () => {
  const configuration = parse(fixture('small.yaml'))
  assert.deepEqual(
    configuration.checks.map(({ needs }) => needs),
    [[], ['lint']],
  )
  assert.deepEqual(
    configuration.channels.map(({ name }) => name),
    ['stable', 'extra'],
  )
  assert.deepEqual(configuration.env, {})
  assert.equal(configuration.release?.static, true)
  assert.equal(configuration.release?.sign, 'minisign')
  assert.equal(configuration.release?.test, null)
  assert.equal(configuration.release?.image, null)
  assert.deepEqual(configuration.release?.publish, { bucket: 'public', registry: null, public: null })
})

test('an empty `after` is an `after`: nothing waits for the line above any more', () => {
  const { checks } = parse(small('name: unit,', 'name: unit, after: [],'))
  assert.deepEqual(
    checks.map(({ needs }) => needs),
    [[], []],
  )
})

test('each mistake is told with its place, what was expected, and the nearest name', () => {
  const rows: readonly (readonly [string, string, string])[] = [
    ['name: tool', 'nmae: tool', '1:1: unknown key "nmae": did you mean "name"?'],
    ['name: tool', 'name: 5', "1:7: name: expected a text, found the number 5; put quotes around it: '5'"],
    ['name: tool', 'name: a b', '1:7: name: expected a name of letters, digits and . _ - (at most 64), found "a b"'],
    [
      'name: tool',
      'name: tool\nschedule: weekly',
      '2:1: unknown key "schedule": known: name, channels, env, checks, release, publish',
    ],
    ['run: make lint', 'rnu: make lint', '3:19: unknown key "rnu" in checks[0]: did you mean "run"?'],
    ['run: make lint', "run: ' '", '3:24: checks[0].run: expected a shell command, found " "'],
    ['run: make lint', 'run:', '3:24: checks[0].run: expected a text, found nothing'],
    ['name: lint', 'name: Lint', '3:13: checks[0].name: expected a name of a-z, 0-9, - and _ that begins'],
    ['name: lint', 'name: unit', '4:13: two checks are called "unit": checks[0] is the other'],
    ['name: unit,', 'name: unit, after: [lnit],', '4:27: there is no check "lnit": did you mean "lint"?'],
    ['name: unit,', 'name: unit, after: [unit],', '4:26: the checks wait for each other: unit after unit'],
    [
      'name: unit,',
      'name: unit, timeout: 10,',
      '4:28: checks[1].timeout: expected a duration such as 30s, 10m or 2h, found the number 10',
    ],
    [
      'name: unit,',
      'name: unit, timeout: 10d,',
      '4:28: checks[1].timeout: expected a duration such as 30s, 10m or 2h, found',
    ],
    ['name: unit,', 'name: unit, timeout: 25h,', '4:28: timeout: expected between 1s and 24h, found 25h'],
    ['name: unit,', 'name: unit, timeout: 0s,', '4:28: timeout: expected between 1s and 24h, found 0s'],
    ['name: unit,', 'name: unit, env: { BINARY: x },', '4:26: the variable "BINARY" is set by Pitlane'],
    ['name: unit,', 'name: unit, env: { A-B: x },', '4:26: the name "A-B": expected a variable name'],
    [
      'name: unit,',
      'name: unit, env: { A: 1.10 },',
      "4:29: checks[1].env.A: expected a text, found the number 1.10; put quotes around it: '1.10'",
    ],
    [
      'x86_64-unknown',
      'x86_46-unknown',
      '6:13: release.targets[0]: unknown value "x86_46-unknown-linux-musl": did you mean "x86_64-unknown-linux-musl"?',
    ],
    ['[x86_64-unknown-linux-musl]', '[]', '6:12: release.targets: expected at least 1 entry, found an empty list'],
    [
      'musl]',
      'musl, x86_64-unknown-linux-musl]',
      '6:40: "x86_64-unknown-linux-musl" stands in the list already, at [0]',
    ],
    ['out/tool', '$TARGT/tool', '7:39: release.build.binary: there is no variable "$TARGT": did you mean "TARGET"?'],
    ['out/tool', '/out/tool', '7:39: release.build.binary: "/out/tool" is absolute'],
    ['out/tool', 'a/../../tool', '7:39: release.build.binary: "a/../../tool" leads out of a folder'],
    ['out/tool', 'out/', '7:39: release.build.binary: "out/" is a folder'],
    ['out/tool', 'out/my tool', '7:39: release.build.binary: "out/my tool" ends in a name'],
    ['build: {', 'sign: minisgn\n  build: {', '7:9: release.sign: unknown value "minisgn": did you mean "minisign"?'],
    ['build: {', 'static: yes\n  build: {', '7:11: release.static: expected true or false, found "yes"'],
    [
      'build: {',
      'test: { run: x, targets: al }\n  build: {',
      '7:28: release.test.targets: expected "all" or a list of targets, found "al"',
    ],
    [
      'build: {',
      'test: { run: x, targets: [x86_64-unknown-linux-gnu] }\n  build: {',
      '7:29: release.test.targets[0]: unknown value',
    ],
    [
      'build: {',
      'test: { run: x, targets: [i686-unknown-linux-musl] }\n  build: {',
      '7:29: "i686-unknown-linux-musl" is not among release.targets: add it there',
    ],
    ['build: {', 'image: { name: a/b, command: [/tool] }\n  build: {', '9:10: the key "registry" is missing'],
    [
      'build: {',
      'image: { name: A/b, command: [/tool] }\n  build: {',
      '7:18: release.image.name: expected an image name',
    ],
    ['bucket: public', 'bucket: ~/public', '8:20: publish.bucket: "~" is a folder of that name here'],
    ['bucket: public', 'bucket: gs://x', '8:20: publish.bucket: "gs://" is no address that is published to'],
    ['bucket: public', 'bucket: s3://x, public: "https://x"', "8:20: publish.bucket: s3://x names the bucket 'x'"],
    ['bucket: public', 'bucket: s3://releases', '8:10: the key "public" is missing: the address under which'],
    [
      'bucket: public',
      'bucket: "s3://releases?regoin=a", public: "https://x"',
      "8:20: publish.bucket: s3://releases?regoin=a has the parameter 'regoin'",
    ],
    [
      'bucket: public',
      'bucket: "s3://key:hush@releases", public: "https://x"',
      '8:20: publish.bucket: an S3 address holds no credentials',
    ],
    ['bucket: public', 'bucket: s3://releases, public: "file:///x"', '8:43: publish.public: an S3 bucket is read at'],
    ['bucket: public', 'bucket: ./', '8:20: publish.bucket: expected a folder of its own'],
    ['bucket: public', 'bucket: ./.git/releases', '8:20: publish.bucket: expected a folder of its own'],
    ['bucket: public', 'bucket: .pitlane', '8:20: publish.bucket: expected a folder of its own'],
    ['bucket: public', 'bucket: a, registry: b', '8:23: publish.registry: there is no release.image'],
    [
      'bucket: public',
      'bucket: a, public: ftp://x',
      '8:31: publish.public: expected an http, https or file address, found "ftp://x"',
    ],
    ['bucket: public', 'bucket: a, public: "http://u:p@x"', '8:31: publish.public: an address with a user'],
    ['bucket: public', 'bucket: a, public: "http://x/?a"', '8:31: publish.public: expected an address without'],
    ['publish: { bucket: public }', '', '1:1: the key "publish" is missing'],
    [
      'name: tool',
      'name: tool\nchannels: { stable: { tag: "v(1" } }',
      '2:28: channels.stable.tag: the pattern is not understood: "(" is never closed at character 2',
    ],
    [
      'name: tool',
      'name: tool\nchannels: { development: { tag: x } }',
      '2:13: the channel "development" is always there',
    ],
    ['name: tool', 'name: tool\nchannels: {}', '2:11: channels: expected at least one channel'],
    ['name: tool', 'name: tool\nname: tool', '2:1: the key "name" stands here already, in line 1'],
    ['name: tool', '? [a, b]\n: tool', '1:3: a key has to be a name'],
    ['name: tool', '__proto__: tool', '1:1: no key can be called "__proto__"'],
    ['name: tool', 'name: !thing tool', '1:7: not valid YAML: Unresolved tag: !thing'],
    ['name: tool', 'name: *tool', '1:1: not valid YAML: Unresolved alias'],
    ['name: tool', 'env:\n\tA: x\nname: tool', '2:1: not valid YAML: Tabs are not allowed as indentation'],
  ]
  const told = rows.map(([from, to]) => messageOf(small(from, to)))
  assert.deepEqual(
    told.map((message, index) => message.slice(0, `pitlane.yaml:${rows[index]?.[2]}`.length)),
    rows.map(([, , expected]) => `pitlane.yaml:${expected}`),
  )
  for (const message of told) assert.ok(!message.includes('\n'), message)
})

test('a text that lacks its quotes is told what it lacks', () => {
  for (const text of ['echo a: b', "'a' && b", '@tool', '[ -f x ] && a', '`tool`'])
    assert.match(messageOf(small('name: tool', `name: ${text}`)), /needs quotes around the whole of it$/, text)
})

test('an image starts the one file that it holds', () => {
  const of = (command: string, binary: string) =>
    small('build: {', `image: { name: b, command: [${command}, server] }\n  build: {`)
      .replace('out/tool', binary)
      .replace('bucket: public', 'bucket: public, registry: images')
  for (const command of ['tool', './tool', '/bin/tool', '/tol', '/tool/']) {
    const expected = `pitlane.yaml:7:31: release.image.command starts "${command}", and the image holds /tool and nothing else`
    assert.equal(messageOf(of(command, 'out/tool')), expected)
  }
  parse(of('/tool', 'out/$TARGET/tool'))
  parse(of('/tool-amd64', 'out/tool-$ARCH'))
})

function messageOfFolders(bucket: string, registry: string): string {
  const text = small('build: {', 'image: { name: b, command: [/tool] }\n  build: {')
  return messageOf(text.replace('bucket: public', `bucket: ${bucket}, registry: ${registry}`))
}

test('bucket and registry are two separate folders', () => {
  for (const [bucket, registry] of [
    ['a', 'a/'],
    ['./a', 'b/../a'],
    ['/a', '/a'],
    ['../a', '../b/../a'],
  ]) {
    assert.match(messageOfFolders(bucket ?? '', registry ?? ''), /are the same folder/)
  }
  for (const [bucket, registry] of [
    ['a', 'a/b'],
    ['/a', '/a/b/c'],
    ['..', 'images'],
  ]) {
    assert.match(messageOfFolders(bucket ?? '', registry ?? ''), /the registry in the bucket/)
  }
  assert.match(messageOfFolders('a/b', 'a'), /the bucket in the registry/)
  for (const [bucket, registry] of [
    ['a', 'ab'],
    ['a', '../a'],
    ['a/b', 'a/c'],
    ['a', '..a'],
    ['/a', 'a'],
  ]) {
    assert.equal(messageOfFolders(bucket ?? '', registry ?? ''), 'no error', `${bucket} ${registry}`)
  }
})

test('all problems of a file are told at once, in the order of the file', () => {
  const text = small('name: lint', 'name: unit')
    .replace('run: make lint', 'rnu: make lint')
    .replace('out/tool', '/out')
    .replace('bucket: public', 'bucket: gs://x')
    .replace('name: tool', 'name: tool\ncahnnels: {}')
  assert.deepEqual(
    messageOf(text)
      .split('\n')
      .map((line) => line.split(':')[1]),
    ['2', '4', '8', '9'],
  )
  const many = messageOf(Array.from({ length: 5000 }, (_, index) => `k${index}: 1`).join('\n'))
  assert.equal(many.split('\n').length, 51)
  assert.match(many, /\nand \d+ more$/)
})

test('a cycle of checks is printed', () => {
  const checks = [
    ['a', 'b'],
    ['b', 'c'],
    ['c', 'b'],
  ].map(([name, after]) => `  - { name: ${name}, run: x, after: [${after}] }`)
  const message = messageOf(`name: t\nchecks:\n${checks.join('\n')}\n`)
  assert.equal(message, 'pitlane.yaml:4:31: the checks wait for each other: b after c after b')
})

test('anchors and aliases of YAML work, also for places', () => {
  const text = 'name: t\nchecks:\n  - &a { name: x, run: y, env: &e { A: b } }\n  - { name: z, run: y, env: *e }\n'
  assert.deepEqual(parse(text).checks[1]?.env, { A: 'b' })
  assert.match(messageOf(text.replace('A: b', 'VERSION: b')), /^pitlane.yaml:3:37: the variable "VERSION".*$/)
})

test('what is no project file at all', () => {
  const rows: readonly (readonly [string, string | Buffer, RegExp])[] = [
    ['empty', '', /^pitlane.yaml:1:1: the file: expected a mapping of keys to values, found nothing$/],
    ['only a comment', '# nothing\n', /found nothing$/],
    ['a list', '- a\n', /found a list$/],
    ['a word', 'word', /found "word"$/],
    [
      'two documents',
      'name: a\n---\nname: b\n',
      /^pitlane.yaml:2:1: not valid YAML: Source contains multiple documents/,
    ],
    ['NUL', 'name: a\nchecks: "\0"\n', /^pitlane.yaml:2:10: the control character U\+0000 is not allowed$/],
    ['escape', 'name: "\u001b[31m"', /^pitlane.yaml:1:8: the control character U\+001b/],
    ['not UTF-8', Buffer.from([0x61, 0x0a, 0x62, 0xff, 0x63]), /^pitlane.yaml:2:2: a byte that is not UTF-8$/],
    ['UTF-16', Buffer.from('\uFEFFname: a', 'utf16le'), /^pitlane.yaml:1:1: the file is UTF-16; save it as UTF-8$/],
    ['100 MB', Buffer.alloc(100_000_000, 'a'), /has 100000000 bytes, and at most 1048576 are read$/],
    ['many tokens', '- a\n'.repeat(200_000), /more than 100000 YAML tokens$/],
    ['many errors', '}\n'.repeat(20_000), /not valid YAML/],
    ['many keys', Array.from({ length: 14_000 }, (_, index) => `k${index}: 1`).join('\n'), /unknown key "k0"/],
    ['deep brackets', '['.repeat(60_000), /nested too deeply|not valid YAML/],
    ['deep dashes', '- '.repeat(30_000), /nested too deeply|not valid YAML/],
    ['deep, but closed', `${'['.repeat(100)}${']'.repeat(100)}`, /nested more than 32 levels deep/],
    ['aliases that grow', `a: &a [x, x]\n${bomb(20)}`, /aliases repeat too much/],
    [
      'an alias to itself',
      'name: t\nenv: &x\n  A: *x\nchecks: [{ name: a, run: b }]\n',
      /env.A: expected a text, found a mapping/,
    ],
  ]
  for (const [what, text, expected] of rows) assert.match(messageOf(text), expected, what)
})

test('a byte order mark and CRLF are no problem', () => {
  assert.deepEqual(parse(`\uFEFF${fixture('small.yaml').replaceAll('\n', '\r\n')}`), parse(fixture('small.yaml')))
})

function bomb(depth: number): string {
  const lines = ['b0: &b0 [*a, *a]']
  for (let index = 1; index < depth; index += 1) lines.push(`b${index}: &b${index} [*b${index - 1}, *b${index - 1}]`)
  return lines.join('\n')
}

test('random bytes and random changes of a good file are a configuration or one clear error', () => {
  const full = fixture('full.yaml')
  const piece = fc.constantFrom(
    '',
    ' ',
    '\n',
    '\t',
    '  - ',
    ': ',
    '{',
    '}',
    '[',
    ']',
    '"',
    "'",
    '&a ',
    '*a',
    '!!set ',
    '? ',
    '|',
    '#',
    '~',
    '0x1',
    '<<: ',
    '\0',
    '…',
  )
  const change = fc.record({ at: fc.nat(full.length), remove: fc.nat(30), insert: piece })
  const mutated = fc
    .array(change, { minLength: 1, maxLength: 4 })
    .map((changes) =>
      changes.reduce((text, { at, remove, insert }) => text.slice(0, at) + insert + text.slice(at + remove), full),
    )
  const input = fc.oneof(
    { arbitrary: mutated.map((text) => Buffer.from(text)), weight: 4 },
    { arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)), weight: 1 },
    { arbitrary: fc.json().map((text) => Buffer.from(text)), weight: 1 },
  )
  let good = 0
  fc.assert(
    fc.property(input, (bytes) => {
      const message = messageOf(bytes)
      if (message === 'no error') good += 1
      assert.ok(message.length < 20_000)
    }),
    { numRuns: 600 },
  )
  assert.ok(good > 0 && good < 600, `${good} of 600 were good`)
})

test('retention: days and counts are read, and each mistake has its place', () => {
  const { retention } = parse(fixture('full.yaml'))
  assert.deepEqual(
    [...(retention?.channels ?? [])],
    [
      ['development', { keep: 20, for: 60 * 86_400_000 }],
      ['preview', { keep: null, for: 365 * 86_400_000 }],
    ],
  )
  assert.deepEqual([retention?.pins, retention?.grace], [['v1.0.0-rc1'], 14 * 86_400_000])
  assert.equal(parse(fixture('small.yaml')).retention, null)
  const base = fixture('small.yaml')
  const table: readonly (readonly [string, RegExp])[] = [
    ['{ stable: { keep: 0 } }', /:\d+:30: retention\.stable\.keep: expected at least 1, found the number 0$/],
    ['{ stable: { keep: 1.5 } }', /retention\.stable\.keep: expected a whole number, found the number 1\.5/],
    [
      '{ stable: { for: 0d } }',
      /retention\.stable\.for: expected a number of days such as 90d, at least 1d, found "0d"/,
    ],
    ['{ stable: {} }', /retention\.stable: expected keep, for, or both/],
    ['{ stabel: { keep: 1 } }', /:\d+:14: retention: there is no channel "stabel": did you mean "stable"\?/],
    ['{ gracee: 7d }', /retention\.gracee: expected a mapping of keys to values/],
    ['{ stable: { keeep: 1 } }', /unknown key "keeep" in retention\.stable: did you mean "keep"\?/],
    ['{ stable: { keep: 1 }, pins: [v1, v1] }', /"v1" stands in the list already, at \[0\]/],
    ['{ stable: { keep: 1 }, grace: 0d }', /retention\.grace: expected a number of days such as 90d, at least 1d/],
    [
      '{ stable: { for: 60 } }',
      /retention\.stable\.for: expected a number of days such as 90d, at least 1d, found the number 60$/,
    ],
  ]
  for (const [text, expected] of table) assert.match(messageOf(`${base}retention: ${text}\n`), expected)
})

test('documentation: where it is built and where it lies, and each mistake has its place', () => {
  const { release } = parse(fixture('full.yaml'))
  assert.deepEqual(release?.documentation, {
    build: { run: './doc/build.sh', folder: 'doc/public', timeout: 900_000, env: { THEME: 'plain' } },
    path: 'manual/',
    channel: 'stable',
    versions: true,
    grace: 14 * 86_400_000,
  })
  const written = (text: string) => small('publish:', `  documentation: ${text}\npublish:`)
  const place = (text: string) => parse(written(text)).release?.documentation
  assert.deepEqual(place('{}'), {
    build: null,
    path: 'docs/',
    channel: 'stable',
    versions: false,
    grace: 7 * 86_400_000,
  })
  assert.deepEqual([place('{ path: / }')?.path, place('{ path: a/b/ }')?.path], ['', 'a/b/'])
  assert.equal(place('{ run: make, folder: ./out/doc/ }')?.build?.folder, 'out/doc')
  const table: readonly (readonly [string, RegExp])[] = [
    ['{ run: make }', /:8:\d+: the key "folder" is missing: release\.documentation\.run alone builds nothing/],
    ['{ folder: doc }', /the key "run" is missing/],
    ['{ run: make, folder: /doc }', /folder: "\/doc" is absolute/],
    ['{ run: make, folder: ../doc }', /leads out of a folder with "\.\."/],
    ['{ run: make, folder: ./ }', /is the whole checkout/],
    ['{ run: make, folder: .git/doc }', /is a place of git/],
    ['{ path: _releases }', /path: expected a folder of the bucket such as docs\//],
    ['{ path: docs/../x }', /expected a folder of the bucket/],
    ['{ path: .pitlane }', /expected a folder of the bucket/],
    ['{ channel: stabel }', /there is no channel "stabel": did you mean "stable"/],
    ['{ grace: 7 }', /grace: expected a number of days such as 90d/],
    ['{ run: make, folder: doc, env: { RELEASES_PAGE: x } }', /the variable "RELEASES_PAGE" is set by Pitlane/],
    ['{ run: make, folder: doc, timeout: 25h }', /timeout: expected between 1s and 24h/],
    ['{ fodler: doc }', /unknown key "fodler" in release\.documentation: did you mean "folder"/],
  ]
  for (const [text, expected] of table) assert.match(messageOf(written(text)), expected)
})

test('the image: names, format and tags that move on, each mistake with its place', () => {
  const base = fixture('full.yaml')
  const withImage = (line: string) =>
    base.replace('    name: dxflrs/garage\n', `    name: dxflrs/garage\n    ${line}\n`)
  const { image } = parse(base).release ?? {}
  assert.deepEqual([image?.platforms, image?.format, image?.floating], [undefined, 'oci', []])
  const all = "platforms: '{platform}/garage'\n    format: docker\n    floating: [latest, '{major}.{minor}']"
  const said = parse(withImage(all).replace('registry: images', 'registry: docker.io')).release?.image
  assert.deepEqual(
    [said?.platforms, said?.format, said?.floating],
    ['{platform}/garage', 'docker', ['latest', '{major}.{minor}']],
  )
  const table: readonly (readonly [string, RegExp])[] = [
    ['platforms: garage', /:\d+:16: release\.image\.platforms: expected \{platform\} in it/],
    ["platforms: '{arch}_garage'", /release\.image\.platforms: \{arch\} stands for nothing/],
    ["platforms: '{platform}_'", /it makes "dxflrs\/amd64_", which is not the name/],
    ['format: v2', /unknown value "v2"/],
    ['format: docker', /:\d+:13: release\.image\.format: docker is for registries; publish\.registry is a folder/],
    ['floating: latest', /release\.image\.floating: expected a list, found "latest"/],
    ["floating: ['{mayor}']", /release\.image\.floating\[0\]: \{mayor\} stands for nothing/],
    ['floating: [a/b]', /release\.image\.floating\[0\]: "a\/b" is not an image tag/],
    ['floating: [latest, latest]', /"latest" stands in the list already, at \[0\]/],
  ]
  for (const [line, expected] of table) assert.match(messageOf(withImage(line)), expected, line)
})
