// Our ELF reader against readelf, file, four compilers and Go, over files that were really linked.
// Debian: binutils file gcc libc6-dev musl-tools gcc-aarch64-linux-gnu libc6-dev-arm64-cross gcc-arm-linux-gnueabihf
// libc6-dev-armhf-cross gcc-i686-linux-gnu libc6-dev-i386-cross qemu-user-static; and Go.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test, type TestContext } from 'node:test'
import type { ElfFacts } from '../../src/artifact/elf-facts.ts'
import { readElf } from '../../src/artifact/elf.ts'
import { buildElf } from '../../src/artifact/fixtures/elf-builder.ts'
import { bufferAccess, fileAccess } from '../../src/artifact/random-access.ts'
import { judgeElf } from '../../src/artifact/verify-elf.ts'
import { PitlaneError } from '../../src/errors.ts'
import { TARGETS } from '../../src/plan/targets.ts'

const top = mkdtempSync(join(tmpdir(), 'pitlane-elf-'))
after(() => rmSync(top, { recursive: true }))

function run(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const result = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, LC_ALL: 'C', ...env },
  })
  return { status: result.status, stdout: result.stdout ?? '', stderr: result.stderr ?? '' }
}

function lacks(t: TestContext, ...commands: readonly string[]): boolean {
  const absent = commands.filter((command) => run('sh', ['-c', 'command -v "$0"', command]).status !== 0)
  if (absent.length > 0) t.skip(`not installed: ${absent.join(', ')}`)
  return absent.length > 0
}

type Outcome = { readonly facts: ElfFacts } | { readonly invalid: string }

async function ours(path: string): Promise<Outcome> {
  const file = await open(path)
  try {
    return { facts: await readElf(fileAccess(file, (await file.stat()).size, path)) }
  } catch (error) {
    assert.ok(error instanceof PitlaneError && error.code === 'ELF_INVALID', `${path}: ${String(error)}`)
    return { invalid: error.message }
  } finally {
    await file.close()
  }
}

const MACHINES: Readonly<Record<string, number>> = {
  'Intel 80386': 3,
  ARM: 40,
  'Advanced Micro Devices X86-64': 62,
  AArch64: 183,
}

/** What readelf says, or null where it says that the file is no ELF. */
function readelf(path: string) {
  const { stdout } = run('readelf', ['-hldAW', path])
  const field = (name: string) => new RegExp(`^\\s*${name}:\\s+(.*?)\\s*$`, 'm').exec(stdout)?.[1] ?? ''
  if (!stdout.startsWith('ELF Header:')) return null
  const machine = field('Machine')
  return {
    class: Number(field('Class').replace('ELF', '')),
    endianness: field('Data').includes('little') ? 'little' : 'big',
    machine: MACHINES[machine] ?? machine,
    type: field('Type').split(' ')[0],
    entry: Number(field('Entry point address')),
    linux: /^UNIX - (System V|GNU)$/.test(field('OS/ABI')),
    interpreter: /\[Requesting program interpreter: (.*)\]/.exec(stdout)?.[1] ?? null,
    needed: [...stdout.matchAll(/\(NEEDED\)\s+Shared library: \[(.*)\]/g)].map((match) => match[1]),
    named: stdout.includes('(SONAME)'),
    program: /\(FLAGS_1\).*\bPIE\b/.test(stdout) || stdout.includes('(DEBUG)'),
    dynamic: stdout.includes('Dynamic section at offset'),
    arm: armVersion(stdout),
  }
}

/** The version from readelf's words, by its own table. */
function armVersion(text: string): number | null {
  const name = /Tag_CPU_arch: (\S+)/.exec(text)?.[1]
  if (name === undefined || name === 'Pre-v4') return null
  const versions = [Number(/^v(\d)/.exec(name)?.[1])]
  if (/^v6(T2|-M|S-M)$/.test(name) || text.includes('Tag_THUMB_ISA_use: Thumb-2')) versions.push(7)
  if (/Tag_FP_arch: VFPv[34]|Tag_Advanced_SIMD_arch: NEON|Tag_MPextension_use: Allowed/.test(text)) versions.push(7)
  if (/Tag_DIV_use: Allowed in v7-A with/.test(text)) versions.push(7)
  if (/Tag_(FP|Advanced_SIMD)_arch: .*(ARMv8|v8)/.test(text)) versions.push(8)
  return Math.max(...versions)
}

/** Holds our outcome against readelf's and file's; returns what kind of file it was. */
async function agree(path: string): Promise<string> {
  const outcome = await ours(path)
  const theirs = readelf(path)
  const described = run('file', ['-b', path]).stdout
  if (theirs === null) {
    assert.ok('invalid' in outcome, `${path}: not ELF to readelf`)
    return 'not ELF'
  }
  const library =
    theirs.type === 'DYN' &&
    theirs.dynamic &&
    !theirs.program &&
    (theirs.interpreter === null || theirs.named || theirs.entry === 0)
  if ((theirs.type !== 'EXEC' && theirs.type !== 'DYN') || library || !theirs.linux || theirs.entry === 0) {
    assert.ok('invalid' in outcome, `${path}: ${theirs.type} must be refused`)
    const reason = library ? /a shared library/ : theirs.type === 'REL' ? /an object file/ : /./
    assert.match(outcome.invalid, reason, path)
    return library ? 'library' : `${theirs.type}`
  }
  assert.ok('facts' in outcome, `${path}: ${JSON.stringify(outcome)}`)
  const { facts } = outcome
  assert.deepEqual(
    { ...facts, arm: facts.arm?.source === 'attributes' ? facts.arm.version : null },
    {
      class: theirs.class,
      endianness: theirs.endianness,
      machine: theirs.machine,
      type: theirs.type === 'EXEC' ? 'exec' : 'dyn',
      interpreter: theirs.interpreter,
      needed: theirs.needed,
      arm: theirs.machine === 40 ? theirs.arm : null,
    },
    path,
  )
  const isStatic = facts.interpreter === null && facts.needed.length === 0
  assert.match(
    described,
    new RegExp(`\\bELF ${facts.class}-bit ${facts.endianness === 'little' ? 'LSB' : 'MSB'}`),
    path,
  )
  assert.match(described, isStatic ? /statically linked|static-pie linked/ : /dynamically linked|interpreter/, path)
  return `${facts.type} ${isStatic ? 'static' : 'dynamic'}`
}

/** Triples of the targets that the file fits as a static executable. */
async function fits(path: string): Promise<string[]> {
  const outcome = await ours(path)
  if ('invalid' in outcome) return []
  return TARGETS.filter((target) => judgeElf(outcome.facts, target, { static: true }).length === 0).map((t) => t.triple)
}

const PROGRAM = join(top, 'program.c')
writeFileSync(PROGRAM, '#include <stdio.h>\nint main(void) { puts("built"); return 0; }\n')
const BARE = join(top, 'bare.c')
writeFileSync(BARE, 'void _start(void) { for (;;) { } }\nint shared_thing(int x) { return x + 1; }\n')

/** Kind → arguments and what has to come out. */
const KINDS: Readonly<Record<string, readonly [kind: string, source: string, ...args: string[]]>> = {
  static: ['exec static', PROGRAM, '-static'],
  'static, stripped': ['exec static', PROGRAM, '-static', '-s'],
  'static PIE': ['dyn static', PROGRAM, '-static-pie', '-fPIE'],
  'static PIE, stripped': ['dyn static', PROGRAM, '-static-pie', '-fPIE', '-s'],
  dynamic: ['exec dynamic', PROGRAM, '-no-pie'],
  'dynamic PIE': ['dyn dynamic', PROGRAM, '-pie', '-fPIE'],
  'dynamic PIE, two libraries': ['dyn dynamic', PROGRAM, '-pie', '-fPIE', '-Wl,--no-as-needed', '-lm'],
  'dynamic, gold': ['exec dynamic', PROGRAM, '-no-pie', '-fuse-ld=gold'],
  'dynamic PIE, gold': ['dyn dynamic', PROGRAM, '-pie', '-fPIE', '-fuse-ld=gold'],
  'static PIE, gold': ['dyn static', PROGRAM, '-static-pie', '-fPIE', '-fuse-ld=gold'],
  'no separate code': ['dyn dynamic', PROGRAM, '-pie', '-fPIE', '-Wl,-z,noseparate-code'],
  'shared library': ['library', BARE, '-shared', '-fPIC', '-nostdlib'],
  'shared library with a name': ['library', BARE, '-shared', '-fPIC', '-nostdlib', '-Wl,-soname,libx.so.1'],
  'shared library, gold': ['library', BARE, '-shared', '-fPIC', '-nostdlib', '-fuse-ld=gold'],
  'object file': ['REL', BARE, '-c'],
  'no C library': ['exec static', BARE, '-nostdlib', '-static'],
}

const COMPILERS: readonly (readonly [compiler: string, triple: string | null])[] = [
  ['gcc', 'x86_64-unknown-linux-musl'],
  ['i686-linux-gnu-gcc', 'i686-unknown-linux-musl'],
  ['aarch64-linux-gnu-gcc', 'aarch64-unknown-linux-musl'],
  // Debian's C library for armhf is ARMv7.
  ['arm-linux-gnueabihf-gcc', null],
]

for (const [compiler, triple] of COMPILERS) {
  test(`${compiler}: every kind of file`, async (t) => {
    if (lacks(t, 'readelf', 'file', compiler)) return
    let [count, missing] = [0, 0]
    for (const [name, [kind, source, ...args]] of Object.entries(KINDS)) {
      const path = join(top, `${compiler}-${(count += 1)}`)
      const built = run(compiler, ['-o', path, source, ...args])
      // gold knows no static PIE, and Debian's C library for armhf has no start file for one.
      if (built.status !== 0 && /gold: .*unknown option|rcrt1\.o/.test(built.stderr)) {
        t.diagnostic(`${compiler} ${name}: not built: ${built.stderr.split('\n')[0]}`)
        missing += 1
        continue
      }
      assert.equal(built.status, 0, `${compiler} ${name}: ${built.stderr}`)
      assert.equal(await agree(path), kind, `${compiler} ${name}`)
      const expected = kind.endsWith('static') && triple !== null ? [triple] : []
      if (triple !== null || name !== 'no C library')
        assert.deepEqual(await fits(path), expected, `${compiler} ${name}`)
    }
    t.diagnostic(`${count - missing} files agree, ${missing} not built`)
  })
}

test('ARM versions as gcc and the linker write them', async (t) => {
  const compiler = 'arm-linux-gnueabihf-gcc'
  if (lacks(t, 'readelf', 'file', compiler)) return
  const v6 = ['-march=armv6', '-marm', '-mfloat-abi=soft'] as const
  const versions: Readonly<Record<string, readonly [version: number, ...args: string[]]>> = {
    v4t: [4, '-march=armv4t', '-marm', '-mfloat-abi=soft'],
    v5te: [5, '-march=armv5te', '-marm', '-mfloat-abi=soft'],
    v6: [6, ...v6],
    v6k: [6, '-march=armv6k', '-marm', '-mfloat-abi=soft'],
    v6kz: [6, '-march=armv6kz', '-marm', '-mfloat-abi=soft'],
    arm1176: [6, '-mcpu=arm1176jzf-s', '-marm', '-mfpu=vfpv2', '-mfloat-abi=hard'],
    'v6 with VFPv3': [7, '-march=armv6', '-marm', '-mfpu=vfpv3', '-mfloat-abi=softfp', '-DFLOATS'],
    v6t2: [7, '-march=armv6t2', '-mthumb', '-mfloat-abi=soft'],
    'v6-m': [7, '-march=armv6-m', '-mthumb', '-mfloat-abi=soft'],
    v7: [7, '-march=armv7-a', '-mfloat-abi=soft'],
    'v7 hard float': [7, '-march=armv7-a+fp', '-mfloat-abi=hard'],
    v7ve: [7, '-march=armv7ve', '-mfloat-abi=soft'],
    v8: [8, '-march=armv8-a', '-mfloat-abi=soft'],
  }
  const source = join(top, 'versions.c')
  writeFileSync(
    source,
    `${readFileSync(BARE, 'utf8')}\n#ifdef FLOATS\ndouble half(double x) { return x * 0.5; }\n#endif\n`,
  )
  for (const [name, [version, ...args]] of Object.entries(versions)) {
    for (const strip of [[], ['-s']]) {
      const path = join(top, `arm-${name}`)
      const built = run(compiler, ['-o', path, source, '-nostdlib', '-static', ...strip, ...args])
      assert.equal(built.status, 0, built.stderr)
      assert.equal(await agree(path), 'exec static')
      const outcome = await ours(path)
      assert.deepEqual('facts' in outcome && outcome.facts.arm, { version, source: 'attributes' }, name)
      assert.deepEqual(await fits(path), version <= 6 ? ['armv6l-unknown-linux-musleabihf'] : [], name)
    }
  }
  // One ARMv7 object is enough, wherever it stands.
  const object = join(top, 'v7.o')
  const seven = join(top, 'seven.c')
  writeFileSync(seven, 'int seven(int x) { return x / 7; }\n')
  assert.equal(run(compiler, ['-c', '-o', object, seven, '-march=armv7-a', '-mfloat-abi=soft']).status, 0)
  const mixed = join(top, 'arm-mixed')
  const built = run(compiler, ['-o', mixed, source, object, '-nostdlib', '-static', ...v6])
  assert.equal(built.status, 0, built.stderr)
  assert.equal(await agree(mixed), 'exec static')
  assert.deepEqual(await fits(mixed), [])
})

test('musl: static, dynamic and PIE', async (t) => {
  if (lacks(t, 'readelf', 'file', 'musl-gcc')) return
  for (const [kind, ...args] of [
    ['exec static', '-static'],
    ['exec static', '-static', '-s'],
    ['exec dynamic', '-no-pie'],
    ['dyn dynamic', '-pie', '-fPIE'],
  ] as const) {
    const path = join(top, `musl-${args.join('')}`)
    const built = run('musl-gcc', ['-o', path, PROGRAM, ...args])
    assert.equal(built.status, 0, built.stderr)
    assert.equal(await agree(path), kind)
  }
})

test('Go: every target, GOARM, stripped and PIE', async (t) => {
  if (lacks(t, 'readelf', 'file', 'go')) return
  const source = join(top, 'main.go')
  writeFileSync(source, 'package main\n\nfunc main() { println("built") }\n')
  const cases: readonly (readonly [goarch: string, goarm: string, expected: string | null, ...args: string[]])[] = [
    ['amd64', '', 'x86_64-unknown-linux-musl'],
    ['amd64', '', 'x86_64-unknown-linux-musl', '-ldflags=-s -w'],
    // Go's own linker asks for an interpreter in a PIE.
    ['amd64', '', null, '-buildmode=pie'],
    ['386', '', 'i686-unknown-linux-musl'],
    ['arm64', '', 'aarch64-unknown-linux-musl'],
    ['arm', '5', 'armv6l-unknown-linux-musleabihf'],
    ['arm', '6', 'armv6l-unknown-linux-musleabihf'],
    ['arm', '6,softfloat', 'armv6l-unknown-linux-musleabihf', '-ldflags=-s -w'],
    ['arm', '7', null],
  ]
  for (const [goarch, goarm, expected, ...args] of cases) {
    const path = join(top, `go-${goarch}-${goarm}-${args.length}`)
    const built = run('go', ['build', '-trimpath', '-buildvcs=false', '-o', path, ...args, source], {
      CGO_ENABLED: '0',
      GOOS: 'linux',
      GOARCH: goarch,
      GOARM: goarm,
      GOFLAGS: '',
      GO111MODULE: 'off',
    })
    assert.equal(built.status, 0, built.stderr)
    await agree(path)
    assert.deepEqual(await fits(path), expected === null ? [] : [expected], path)
    if (goarm === '') continue
    const arm = { version: Number(goarm[0]), source: 'go-buildinfo' }
    assert.match(run('go', ['version', '-m', path]).stdout, new RegExp(`\\bGOARM=${goarm}\\n`))
    const outcome = await ours(path)
    assert.deepEqual('facts' in outcome && outcome.facts.arm, arm, path)
    // Found in the data segment as well, when section headers are gone.
    const bytes = readFileSync(path)
    bytes.writeUInt32LE(0, 32)
    bytes.writeUInt16LE(0, 48)
    assert.deepEqual((await readElf(bufferAccess(bytes))).arm, arm, path)
  }
})

/** At most so many entries, taken evenly. */
function sample(paths: readonly string[], most: number): string[] {
  if (paths.length <= most) return [...paths]
  return Array.from({ length: most }, (_, index) => paths[Math.floor((index * paths.length) / most)] as string)
}

test('real files of this machine', async (t) => {
  if (lacks(t, 'readelf', 'file')) return
  const folders: readonly (readonly [folder: string, most: number])[] = [
    ['/usr/bin', 180],
    ['/usr/sbin', 30],
    ['/usr/lib/x86_64-linux-gnu', 80],
    ['/usr/aarch64-linux-gnu/lib', 35],
    ['/usr/arm-linux-gnueabihf/lib', 35],
    ['/usr/i686-linux-gnu/lib', 35],
  ]
  const kinds: Record<string, number> = {}
  for (const [folder, most] of folders) {
    let names: string[]
    try {
      names = readdirSync(folder).sort()
    } catch {
      t.diagnostic(`${folder}: absent`)
      continue
    }
    const files = names.map((name) => join(folder, name)).filter((path) => lstatSync(path).isFile())
    for (const path of sample(files, most)) {
      const kind = await agree(path)
      kinds[kind] = (kinds[kind] ?? 0) + 1
    }
  }
  t.diagnostic(JSON.stringify(kinds))
  assert.ok(Object.values(kinds).reduce((sum, count) => sum + count, 0) >= 100)
  assert.ok((kinds['dyn dynamic'] ?? 0) >= 20 && (kinds.library ?? 0) >= 20)
})

test('fabricated files are what they claim, and run', async (t) => {
  if (lacks(t, 'readelf', 'file')) return
  for (const target of TARGETS) {
    for (const pie of [false, true]) {
      const path = join(top, `made-${target.architecture}-${pie}`)
      writeFileSync(path, buildElf({ triple: target.triple, pie, text: 'made\n', exitCode: 7 }))
      chmodSync(path, 0o755)
      assert.equal(await agree(path), pie ? 'dyn static' : 'exec static')
      assert.deepEqual(await fits(path), [target.triple])
      const native = target.architecture === 'amd64' || target.architecture === '386'
      const { program, cpu } = target.qemu
      const [command = '', ...args] = native ? [path] : [program, ...(cpu === null ? [] : ['-cpu', cpu]), path]
      if (run('sh', ['-c', 'command -v "$0"', command]).status !== 0) {
        t.diagnostic(`${target.triple}: not run, ${command} is not installed`)
        continue
      }
      const outcome = run(command, args)
      assert.deepEqual([outcome.status, outcome.stdout], [7, 'made\n'], target.triple)
    }
  }
})
