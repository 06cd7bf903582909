// install.sh and the verify lines of the page, run by real shells with real tools against a folder and a small server.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { folderAddress } from '../../src/pages/address.ts'
import { catalogue } from '../../src/pages/catalogue.ts'
import { verifyCommands } from '../../src/pages/commands.ts'
import { exampleDocument, exampleSite, FIXTURE_NAME } from '../../src/pages/fixtures/documents.ts'
import { fixtureKey, minisig, plainSignature } from '../../src/pages/fixtures/signing.ts'
import { withdrawnStates } from '../../src/pages/fixtures/states.ts'
import { renderSite } from '../../src/pages/site.ts'
import { KEYS } from '../../src/plan/keys.ts'
import { TARGETS } from '../../src/plan/targets.ts'
import { type BuiltDocument, encodeDocument } from '../../src/release/document.ts'
import { checksums } from '../../src/release/put-operations.ts'
import { trustedCommentOf } from '../../src/release/keys/sign.ts'

function programPath(name: string): string | null {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    try {
      accessSync(join(folder, name), constants.X_OK)
      return join(folder, name)
    } catch {
      // Not in this folder.
    }
  }
  return null
}

interface Outcome {
  readonly status: number | null
  readonly output: string
}

/** Runs a program to its end; what it writes to both streams is one text. */
function run(
  program: string,
  argv: readonly string[],
  options: { env?: Record<string, string>; cwd?: string; input?: string } = {},
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, argv, { env: options.env ?? {}, cwd: options.cwd ?? '/', timeout: 30_000 })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
    // A shell that stops at a syntax error closes its input early.
    child.stdin.on('error', () => {})
    child.on('error', reject)
    child.on('close', (status) => resolve({ status, output }))
    child.stdin.end(options.input ?? '')
  })
}

const root = mkdtempSync(join(tmpdir(), "pitlane install's "))
const bucket = join(root, 'bu cket')
const requests: string[] = []
const server = createServer((request, response) => {
  const path = decodeURIComponent(request.url ?? '')
  requests.push(path)
  try {
    response.end(readFileSync(join(bucket, path)))
  } catch {
    response.writeHead(404).end()
  }
})
let address = ''

/** Running a downloaded binary would leave this behind. */
const marker = join(root, 'was-run')
const contents = (version: string, triple: string) => Buffer.from(`#!/bin/sh\n: >'${marker}'\n# ${version} ${triple}\n`)

function put(key: string, bytes: Uint8Array | string): void {
  mkdirSync(dirname(join(bucket, key)), { recursive: true })
  writeFileSync(join(bucket, key), bytes)
}

/** @param byHand which revision of a release made by hand it is, and for which targets there are files */
function putRelease(
  version: string,
  signed: boolean,
  byHand?: { readonly revision: number; readonly targets: readonly string[] },
): BuiltDocument {
  const example = exampleDocument(version)
  const files = example.files
    .filter(({ target }) => byHand?.targets.includes(target) ?? true)
    .map((file) => {
      const bytes = contents(version, file.target)
      put(file.path, bytes)
      return { ...file, size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
    })
  const document: BuiltDocument = {
    ...example,
    // Nothing in a text looks like a value of the document.
    notes: `  "version": "v9.9.9",\n      "sha256": "${'0'.repeat(64)}",`,
    files,
    ...(byHand === undefined
      ? {}
      : {
          byHand: {
            revision: byHand.revision,
            revisedAt: example.publishedAt,
            previousSha256: byHand.revision === 1 ? null : '0'.repeat(64),
            missing: [],
            unchecked: [],
          },
        }),
  }
  const revision = byHand?.revision ?? 1
  putSigned(KEYS.sums(version, revision), Buffer.from(checksums(document) ?? assert.fail()), version, signed)
  putSigned(KEYS.document(version, revision), encodeDocument(document), version, signed)
  return document
}

function putSigned(key: string, bytes: Buffer, version: string, signed = true): void {
  put(key, bytes)
  if (!signed) return
  put(`${key}.minisig`, minisig(bytes, trustedCommentOf({ name: FIXTURE_NAME, version, path: key })))
  put(`${key}.sig`, plainSignature(bytes))
}

/** Puts objects of the bucket, with what stands beside them, in the place of others. */
function putInPlace(from: string, to: string): void {
  for (const side of ['', '.minisig', '.sig'])
    if (existsSync(join(bucket, from + side))) put(to + side, readFileSync(join(bucket, from + side)))
}

/** Two revisions: the second has one target more. */
function putByHand(version: string): BuiltDocument {
  const [first = '', second = ''] = TARGETS.map(({ triple }) => triple)
  putRelease(version, true, { revision: 1, targets: [first] })
  return putRelease(version, true, { revision: 2, targets: [first, second] })
}

let site = exampleSite()

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const documents = [putRelease('v1.0.0', true), putRelease('v1.1.0+build.2', true), putByHand('v0.2.0')]
  putRelease('v0.1.0', false)
  site = exampleSite({ baseUrl: address, documents })
  for (const file of renderSite(site)) put(file.key, file.bytes)
})

after(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  rmSync(root, { recursive: true })
})

const BASICS = 'sh cat sed mkdir mktemp chmod mv cp rm id od tr grep uname getconf sha256sum printf'.split(' ')
let pathNumber = 0
const fakesOf = new Map<string, Readonly<Record<string, string>>>()

/** A PATH of exactly these programs, and scripts of ours in place of some. */
function pathOf(programs: readonly string[], fakes: Readonly<Record<string, string>> = {}): string {
  const folder = join(root, `path-${pathNumber++}`)
  mkdirSync(folder)
  for (const name of programs) {
    const real = programPath(name)
    if (real !== null && !(name in fakes)) symlinkSync(real, join(folder, name))
  }
  for (const [name, body] of Object.entries(fakes)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 })
  }
  fakesOf.set(folder, fakes)
  return folder
}

/** Some builds of busybox take their own programs before those on PATH: there, functions stand in for them. */
async function takesItsOwn(program: string, argv: readonly string[]): Promise<boolean> {
  const folder = pathOf([], { uname: 'echo ours' })
  const { output } = await run(program, argv, { env: { PATH: folder }, input: 'uname\n' })
  return output !== 'ours\n'
}

function asFunctions(folder: string): string {
  return Object.entries(fakesOf.get(folder) ?? {})
    .map(([name, body]) => `${name}() ( ${body}\n)\n`)
    .join('')
}

const machine = (name: string, system = 'Linux') => `case $1 in -s) echo ${system} ;; *) echo ${name} ;; esac`
const amd64 = { uname: machine('x86_64'), getconf: 'echo 64' }

for (const shell of [['dash'], ['busybox', 'sh']]) {
  const program = programPath(shell[0] ?? '')
  describe(`install.sh under ${shell.join(' ')}`, {
    skip: program === null ? `${shell[0]} is not installed` : false,
  }, () => {
    let homes = 0
    let ownFirst = false
    before(async () => {
      if (program !== null) ownFirst = await takesItsOwn(program, shell.slice(1))
    })
    /** One run, with an empty home of its own. */
    async function install(
      argv: readonly string[],
      options: { path?: string; input?: string; env?: Record<string, string> } = {},
    ): Promise<Outcome & { home: string; left: readonly string[]; installed: string }> {
      const home = join(root, `home-${shell[0]}-${homes++}`)
      mkdirSync(home)
      const path = options.path ?? pathOf([...BASICS, 'curl', 'minisign'], amd64)
      const script = options.input ?? readFileSync(join(bucket, KEYS.installScript), 'utf8')
      const outcome = await run(program ?? '', [...shell.slice(1), '-s', '--', ...argv], {
        env: { HOME: home, PATH: path, PITLANE_DIR: join(home, 'bin'), ...options.env },
        input: `${ownFirst ? asFunctions(path) : ''}${script}`,
      })
      const left = readdirSync(home, { recursive: true }).map(String).toSorted()
      return { ...outcome, home, left, installed: join(home, 'bin', 'verifier') }
    }
    const assertInstalled = (result: Awaited<ReturnType<typeof install>>, version: string, triple: string) => {
      assert.equal(result.status, 0, result.output)
      assert.deepEqual(result.left, ['bin', 'bin/verifier'])
      assert.deepEqual(readFileSync(result.installed), contents(version, triple))
      assert.equal(statSync(result.installed).mode & 0o777, 0o755)
    }
    const assertRefused = (result: Awaited<ReturnType<typeof install>>, words: RegExp) => {
      assert.equal(result.status, 1, result.output)
      assert.match(result.output, words)
      assert.deepEqual(
        result.left.filter((name) => name !== 'bin'),
        [],
      )
    }

    test('the newest stable version, over HTTP with curl, checked with minisign', async (t) => {
      if (programPath('minisign') === null) return t.skip('minisign is not installed')
      const result = await install([])
      assertInstalled(result, 'v1.1.0+build.2', 'x86_64-unknown-linux-musl')
      assert.match(result.output, new RegExp(`good, key ${fixtureKey.keyId} \\(checked with minisign\\)`))
    })

    test('a chosen version, with wget, checked with openssl', async () => {
      const path = pathOf([...BASICS, 'wget', 'openssl'], amd64)
      const result = await install(['--version', 'v1.0.0'], { path })
      assertInstalled(result, 'v1.0.0', 'x86_64-unknown-linux-musl')
      assert.match(result.output, /checked with openssl/)
    })

    test('from a folder and from a file address, without any network program', async () => {
      const path = pathOf(BASICS, amd64)
      for (const base of [bucket, folderAddress(bucket), `${bucket}/`]) {
        const result = await install([`--base=${base}`], { path })
        assertInstalled(result, 'v1.1.0+build.2', 'x86_64-unknown-linux-musl')
        assert.match(result.output, /not checked: neither minisign nor OpenSSL 3 is installed/)
      }
      assertRefused(await install(['--base', bucket, '--require-signature'], { path }), /install minisign or OpenSSL 3/)
    })

    test('every machine gets the binary that it runs', async () => {
      const kernels = TARGETS.flatMap((target) => target.uname.map((name) => [name, '64', target.triple] as const))
      const small = [
        ['x86_64', '32', 'i686-unknown-linux-musl'],
        ['aarch64', '32', 'armv6l-unknown-linux-musleabihf'],
        ['armv7l', '32', 'armv6l-unknown-linux-musleabihf'],
      ] as const
      for (const [name, bits, triple] of [...kernels, ...small]) {
        const path = pathOf(BASICS, { uname: machine(name), getconf: `echo ${bits}` })
        assertInstalled(await install(['--base', bucket], { path }), 'v1.1.0+build.2', triple)
      }
    })

    test('without getconf, the shell itself says how many bits the userland has', async () => {
      const without = BASICS.filter((name) => name !== 'getconf')
      const none = pathOf(without, { uname: machine('x86_64') })
      assertInstalled(await install(['--base', bucket], { path: none }), 'v1.1.0+build.2', 'x86_64-unknown-linux-musl')
      const small = pathOf(without, { uname: machine('x86_64'), od: 'echo " 01"' })
      assertInstalled(await install(['--base', bucket], { path: small }), 'v1.1.0+build.2', 'i686-unknown-linux-musl')
    })

    test('a machine without a binary is told so', async () => {
      assertRefused(
        await install(['--base', bucket], { path: pathOf(BASICS, { uname: machine('riscv64') }) }),
        /calls itself riscv64/,
      )
      assertRefused(
        await install(['--base', bucket], { path: pathOf(BASICS, { uname: machine('x86_64', 'Darwin') }) }),
        /this is Darwin/,
      )
      const result = await install(['--target', 'sparc64-unknown-linux-musl', '--base', bucket])
      assertRefused(result, /has no binary for sparc64-unknown-linux-musl; it has: x86_64/)
    })

    test('digests with each tool', async () => {
      const without = BASICS.filter((name) => name !== 'sha256sum')
      for (const tool of ['shasum', 'openssl', 'busybox']) {
        if (programPath(tool) === null) continue
        const path = pathOf([...without, tool, 'perl'], amd64)
        assertInstalled(await install(['--base', bucket], { path }), 'v1.1.0+build.2', 'x86_64-unknown-linux-musl')
      }
      // This busybox finds its own sha256sum even without a PATH.
      if (shell[0] === 'busybox') return
      assertRefused(await install(['--base', bucket], { path: pathOf(without, amd64) }), /digest cannot be checked/)
    })

    test('a dry run says everything and changes nothing', async () => {
      const earlier = requests.length
      const result = await install(['--dry-run'], { env: { TMPDIR: root } })
      assert.equal(result.status, 0, result.output)
      assert.match(result.output, /v1\.1\.0\+build\.2 for x86_64-unknown-linux-musl/)
      assert.match(result.output, /Dry run: nothing was changed/)
      assert.deepEqual(result.left, [])
      assert.deepEqual(
        readdirSync(root).filter((name) => name.startsWith('tmp.')),
        [],
      )
      assert.ok(!requests.slice(earlier).some((path) => path.endsWith('/verifier')))
    })

    test('environment variables choose like options, and options win', async () => {
      const env = { PITLANE_VERSION: 'v1.0.0', PITLANE_BASE: bucket, PITLANE_TARGET: 'i686-unknown-linux-musl' }
      assertInstalled(await install([], { env }), 'v1.0.0', 'i686-unknown-linux-musl')
      const result = await install(['--version', 'v1.1.0+build.2'], { env })
      assertInstalled(result, 'v1.1.0+build.2', 'i686-unknown-linux-musl')
    })

    test('a version that is withdrawn is installed when it is named, with a warning, and never by a pointer', async () => {
      const reason = `it's "bad"; $(: >'${marker}') \`: >'${marker}'\` \\ %s`
      const states = withdrawnStates({ 'v1.0.0': [reason, 'v1.1.0+build.2'], 'v1.1.0+build.2': ['as well', null] })
      const script = renderSite(exampleSite({ ...site, states })).find(({ key }) => key === KEYS.installScript)
      const input = String(script?.bytes)
      // The pointer is one that a cache kept.
      assertRefused(
        await install([], { input }),
        /v1\.1\.0\+build\.2 is not installed\. Withdrawn on 1 August 2026: as well\./,
      )
      const named = await install(['--version', 'v1.0.0'], { input })
      assertInstalled(named, 'v1.0.0', 'x86_64-unknown-linux-musl')
      assert.ok(named.output.includes(`warning: v1.0.0: Withdrawn on 1 August 2026: ${reason}.`), named.output)
      const other = await install(['--version', 'v1.1.0'], { input })
      assertRefused(other, /there is no release v1\.1\.0, or/)
      assert.doesNotMatch(other.output, /[Ww]ithdrawn/)
    })

    test('the existing binary is replaced, and kept when the new one is wrong', async () => {
      const dir = join(root, `existing-${shell[0]}`)
      mkdirSync(dir)
      writeFileSync(join(dir, 'verifier'), 'old')
      await install(['--dir', dir, '--version', 'v9.9.9', '--base', bucket])
      assert.equal(readFileSync(join(dir, 'verifier'), 'utf8'), 'old')
      await install(['--dir', dir, '--base', bucket])
      assert.deepEqual(readFileSync(join(dir, 'verifier')), contents('v1.1.0+build.2', 'x86_64-unknown-linux-musl'))
      assert.deepEqual(readdirSync(dir), ['verifier'])
    })

    test('a missing version, a hostile version and an unknown option', async () => {
      assertRefused(await install(['--version', 'v9.9.9']), /there is no release v9\.9\.9, or no connection/)
      for (const version of ['../../etc', '-rf', 'a b', "$(touch x)'"]) {
        assertRefused(await install(['--version', version]), /is not the name of a version/)
      }
      for (const argv of [['--verson', 'v1'], ['--version'], ['--base', 'ftp://example.org']]) {
        assert.equal((await install(argv)).status, 2)
      }
      const help = await install(['--help'])
      assert.equal(help.status, 0)
      assert.match(help.output, /--dry-run/)
    })

    test('a tampered binary, tampered sums and a missing signature are refused', async (t) => {
      if (programPath('minisign') === null) return t.skip('minisign is not installed')
      const withOpenssl = { path: pathOf([...BASICS, 'curl', 'openssl'], amd64) }
      const version = 'v2.0.0'
      const choice = ['--version', version]
      const binary = KEYS.binary(version, 'x86_64-unknown-linux-musl', 'verifier')
      putRelease(version, true)
      put(binary, 'something else')
      assertRefused(await install(choice), /is not what v2\.0\.0 lists, and was thrown away/)

      const sums = readFileSync(join(bucket, KEYS.sums(version)), 'utf8')
      const other = createHash('sha256').update('something else').digest('hex')
      put(KEYS.sums(version), sums.replace(/^[0-9a-f]{64}/, other))
      assertRefused(await install(choice), /the signature of v2\.0\.0 is wrong/)
      assertRefused(await install(choice, withOpenssl), /SHA256SUMS of v2\.0\.0 is not as it was signed/)
      assertRefused(await install([...choice, '--allow-unsigned']), /the signature of v2\.0\.0 is wrong/)

      put(KEYS.sums(version), `not a digest  x86_64-unknown-linux-musl/verifier\n`)
      const nothing = { path: pathOf([...BASICS, 'curl'], amd64) }
      assertRefused(await install(choice, nothing), /has no|no SHA-256/)
      put(KEYS.sums(version), `${other}  x86_64-unknown-linux-musl/-rf\n`)
      assertRefused(await install(choice, nothing), /names a file that cannot be installed/)

      assertRefused(await install(['--version', 'v0.1.0']), /cannot be fetched, so the signature/)
      assertRefused(await install(['--version', 'v0.1.0'], withOpenssl), /cannot be fetched, so the signature/)
      const accepted = await install(['--version', 'v0.1.0', '--allow-unsigned'])
      assertInstalled(accepted, 'v0.1.0', 'x86_64-unknown-linux-musl')
    })

    test('what is truly signed and something else is refused with each tool', async (t) => {
      if (programPath('minisign') === null) return t.skip('minisign is not installed')
      const tools = ['minisign', 'openssl'].map((tool) => ({ path: pathOf([...BASICS, 'curl', tool], amd64) }))
      const [, withOpenssl] = tools
      assert.ok(withOpenssl)
      const version = 'v2.1.0'
      const choice = ['--version', version]
      const triple = 'x86_64-unknown-linux-musl'

      // All of an older version, under the name of a newer one.
      const binary = (of: string) => KEYS.binary(of, triple, 'verifier')
      for (const key of [KEYS.sums, KEYS.document, binary]) putInPlace(key('v1.0.0'), key(version))
      for (const tool of tools) {
        for (const flags of [[], ['--require-signature'], ['--allow-unsigned'], ['--dry-run']])
          assertRefused(
            await install([...choice, ...flags], tool),
            /the signature of v2\.1\.0 is for something else: .*v1\.0\.0/,
          )
      }

      // The right document beside the list and the file of another version.
      putRelease(version, true)
      for (const key of [KEYS.sums, binary]) putInPlace(key('v1.0.0'), key(version))
      for (const tool of tools) assertRefused(await install(choice, tool), /for something else|is not as it was signed/)

      // A document of another kind, or of another project of the same key.
      putRelease(version, true)
      const document = readFileSync(join(bucket, KEYS.document(version)), 'utf8')
      for (const other of [
        document.replace('"pitlane-release/1"', '"pitlane-state/1"'),
        document.replace('"name": "verifier"', '"name": "another"'),
        document.replace(/^ +"path": .*\n/gm, ''),
        document.replace(/^( +"path": .*\n)/gm, '$1$1$1').replace(/("sha256": .*\n)/g, '$1      $1'),
        JSON.stringify(JSON.parse(document)),
        'nothing',
      ]) {
        putSigned(KEYS.document(version), Buffer.from(other), version)
        assertRefused(await install(choice, withOpenssl), /for something else|does not list/)
      }
      put(KEYS.document(version), document)
      assertRefused(await install(choice, withOpenssl), /the signature of v2\.1\.0 is wrong/)
      rmSync(join(bucket, KEYS.document(version)))
      assertRefused(await install(choice, withOpenssl), /cannot fetch .*release\.json/)
    })

    test('a release made by hand is installed by its newest revision, and by no other', async (t) => {
      if (programPath('minisign') === null) return t.skip('minisign is not installed')
      for (const tool of ['minisign', 'openssl']) {
        const options = { path: pathOf([...BASICS, 'curl', tool], amd64) }
        putByHand('v0.2.0')
        for (const { triple } of TARGETS.slice(0, 2)) {
          const result = await install(['--version', 'v0.2.0', '--target', triple], options)
          assertInstalled(result, 'v0.2.0', triple)
          assert.match(result.output, new RegExp(`checked with ${tool}`))
        }
        for (const key of [KEYS.sums, KEYS.document]) putInPlace(key('v0.2.0', 1), key('v0.2.0', 2))
        const result = await install(['--version', 'v0.2.0', '--target', TARGETS[0]?.triple ?? ''], options)
        assertRefused(result, /the signature of v0\.2\.0 is for something else/)
      }
      putByHand('v0.2.0')
    })

    test('a script that was cut off does nothing, wherever it was cut', async () => {
      const script = readFileSync(join(bucket, KEYS.installScript), 'utf8')
      const path = pathOf([...BASICS, 'curl'], amd64)
      const earlier = requests.length
      // The whole script but its last newline is whole, so that the steps end before.
      const cuts = Array.from({ length: Math.ceil((script.length - 40) / 200) }, (_, index) => index * 200)
      for (let cut = script.length - 40; cut < script.length - 1; cut++) cuts.push(cut)
      for (const cut of cuts) {
        const result = await install([], { path, input: script.slice(0, cut) })
        assert.deepEqual(result.left, [], `cut after ${cut} bytes`)
      }
      assert.deepEqual(requests.slice(earlier), [])
    })

    test('names and addresses cannot become commands', async () => {
      const name = `it's $(touch ${marker}) \`touch ${marker}\`\n"; touch ${marker}; @TARGETS@`
      const baseUrl = `${address}/$(touch)/'%27;touch%20${marker}`
      const script = renderSite({ ...site, name, baseUrl }).find((file) => file.key === KEYS.installScript)
      const result = await install(['--help'], { input: script?.bytes.toString() ?? '' })
      assert.equal(result.status, 0, result.output)
      assert.match(result.output, /Installs it's \$\(touch/)
      assertRefused(await install([], { input: script?.bytes.toString() ?? '' }), /cannot fetch/)
    })

    test('nothing that was downloaded has been run', () => {
      assert.ok(!readdirSync(root).includes('was-run'))
    })
  })
}

describe('the verify lines of the page', () => {
  const tools = ['sh', 'curl', 'sha256sum', 'minisign', 'openssl'].filter((name) => programPath(name) === null)
  test('each block works as it is printed, over HTTP and from a folder', async (t) => {
    if (tools.length > 0) return t.skip(`not installed: ${tools.join(', ')}`)
    for (const baseUrl of [address, folderAddress(bucket)]) {
      for (const document of site.documents) {
        const file = document.files.at(-1)
        assert.ok(file)
        const cwd = mkdtempSync(join(root, 'verify-'))
        const blocks = verifyCommands(catalogue({ ...site, baseUrl }), document, file)
        assert.equal(blocks.length, 4)
        for (const block of blocks.filter(({ title }) => !title.includes('Pitlane'))) {
          const env = { PATH: process.env['PATH'] ?? '', HOME: cwd }
          const result = await run('sh', ['-e'], { cwd, env, input: `${block.lines.join('\n')}\n` })
          assert.equal(result.status, 0, `${block.lines.join('\n')}\n${result.output}`)
        }
      }
    }
  })

  test('they find out that all of it is of another version, and which', async (t) => {
    if (tools.length > 0) return t.skip(`not installed: ${tools.join(', ')}`)
    const [older, newer] = site.documents
    const file = newer?.files.at(-1)
    assert.ok(older && newer && file)
    const other = (key: string) => `other/${key}`
    putInPlace(KEYS.publicKeyPem, other(KEYS.publicKeyPem))
    for (const key of [KEYS.sums, KEYS.document, (of: string) => KEYS.binary(of, file.target, file.name)])
      putInPlace(key(older.version), other(key(newer.version)))
    const cwd = mkdtempSync(join(root, 'verify-'))
    const blocks = verifyCommands(catalogue({ ...site, baseUrl: `${address}/other` }), newer, file)
    for (const { title, lines } of blocks.slice(0, 3)) {
      const env = { PATH: process.env['PATH'] ?? '', HOME: cwd }
      const result = await run('sh', ['-e'], { cwd, env, input: `${lines.join('\n')}\n` })
      assert.equal(result.status === 0, title === 'Digest', `${lines.join('\n')}\n${result.output}`)
    }
  })
})
