// The example that the demo releases, built for all four targets by the real compiler, against releases signed by the real minisign.
import assert from 'node:assert/strict'
import { type SpawnSyncReturns, spawnSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { TARGETS, type Target } from '../../src/plan/targets.ts'

const EXAMPLE = new URL('../../examples/verifier', import.meta.url).pathname
const work = mkdtempSync(join(tmpdir(), 'pitlane-verifier-'))
after(() => rmSync(work, { recursive: true, force: true }))

function run(command: string, args: readonly string[], options: { cwd?: string; env?: Record<string, string> } = {}) {
  const { env, ...rest } = options
  return spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 26, env: { ...process.env, ...env }, ...rest })
}

function succeed(result: SpawnSyncReturns<string>): string {
  assert.equal(result.status, 0, `${result.error ?? ''}${result.stdout}${result.stderr}`)
  return result.stdout
}

const has = (program: string) => run('sh', ['-c', `command -v ${program}`]).status === 0

/** A copy of the example's source as a clean checkout would hold it. */
function checkout(name: string): string {
  const folder = join(work, name)
  const built = new Set(['node_modules', 'zig-out', '.zig-cache'])
  cpSync(EXAMPLE, folder, { recursive: true, filter: (source) => !built.has(basename(source)) })
  return folder
}

function build(folder: string, triple: string): string {
  succeed(run('./build.sh', [], { cwd: folder, env: { TARGET: triple, VERSION: 'v1.0.0' } }))
  return join(folder, 'zig-out', triple, 'verifier')
}

const binaries = new Map<string, string>()
before(() => {
  const folder = checkout('a')
  for (const { triple } of TARGETS) binaries.set(triple, build(folder, triple))
})
const binary = (target: Target) => binaries.get(target.triple) ?? assert.fail(`${target.triple} was not built`)

/** How to start a target's binary here: the oldest processor the target stands for where an emulator can be asked for one. */
interface Runner {
  readonly name: string
  readonly program: string
  readonly target: Target
}

/** Scripts, so that they can be given as `BINARY` as well. */
function runners(): readonly Runner[] {
  const found: Runner[] = []
  for (const target of TARGETS) {
    const native = run(binary(target), ['--version'])
    if (native.error === undefined && native.status === 0) {
      found.push({ name: `${target.triple} native`, program: binary(target), target })
    }
    const cpu = target.architecture === '386' ? 'pentium2' : target.qemu.cpu
    if (!has(target.qemu.program)) continue
    const program = join(work, `${target.qemu.program}.sh`)
    writeFileSync(
      program,
      `#!/bin/sh\nexec ${target.qemu.program} ${cpu ? `-cpu ${cpu}` : ''} ${binary(target)} "$@"\n`,
    )
    chmodSync(program, 0o755)
    found.push({ name: `${target.triple} ${target.qemu.program} ${cpu ?? ''}`, program, target })
  }
  return found
}

test('each binary is static and of its machine', async (t) => {
  if (!has('readelf') || !has('file')) return t.skip('readelf (binutils) or file is not installed')
  const machines = { amd64: /X86-64/, '386': /Intel 80386/, arm64: /AArch64/, arm: /ARM/ }
  for (const target of TARGETS) {
    await t.test(target.triple, () => {
      const path = binary(target)
      assert.match(succeed(run('file', ['-b', path])), /statically linked|static-pie linked/)
      const header = succeed(run('readelf', ['-hW', path]))
      assert.match(header, new RegExp(`Class: +ELF${target.elf.class}\\n`))
      assert.match(header, new RegExp(`Machine: .*${machines[target.architecture].source}`))
      assert.doesNotMatch(succeed(run('readelf', ['-lW', path])), /INTERP/)
      assert.doesNotMatch(succeed(run('readelf', ['-dW', path])), /NEEDED/)
      if (target.architecture === 'arm') {
        assert.match(succeed(run('readelf', ['-AW', path])), /Tag_CPU_arch: v6\n/)
      }
    })
  }
})

test('the same source gives the same bytes in another folder', () => {
  const triple = 'armv6l-unknown-linux-musleabihf'
  const again = readFileSync(build(checkout('another-folder-with-a-longer-name'), triple))
  assert.ok(again.equals(readFileSync(binaries.get(triple) ?? '')))
})

test('the release test of the example passes on every target', async (t) => {
  const all = runners()
  for (const target of TARGETS) {
    const mine = all.filter((runner) => runner.target === target)
    if (mine.length === 0) await t.test(target.triple, (own) => own.skip(`${target.qemu.program} is not installed`))
    for (const { name, program } of mine) {
      await t.test(name, () => {
        const env = { BINARY: program, VERSION: 'v1.0.0' }
        assert.match(succeed(run('./test/release-test.sh', [], { cwd: EXAMPLE, env })), /release test: 25 passed/)
      })
    }
  }
})

test('releases that the real minisign signed', async (t) => {
  if (!has('minisign')) return t.skip('minisign is not installed')
  const key = join(work, 'key')
  const pub = join(work, 'key.pub')
  const release = join(work, 'release')
  const sums = join(release, 'SHA256SUMS')
  const signature = `${sums}.minisig`
  const native = binaries.get('x86_64-unknown-linux-musl') ?? ''
  succeed(run('minisign', ['-G', '-W', '-f', '-s', key, '-p', pub]))

  const sign = () => {
    const comment = 'pitlane tool v2 file:_releases/v2/SHA256SUMS'
    succeed(run('minisign', ['-S', '-s', key, '-m', sums, '-t', comment]))
  }
  const make = () => {
    rmSync(release, { recursive: true, force: true })
    mkdirSync(join(release, 'one'), { recursive: true })
    writeFileSync(join(release, 'one/tool'), Buffer.alloc(300_001, 'tool'))
    writeFileSync(join(release, 'two'), '')
    writeFileSync(sums, succeed(run('sha256sum', ['one/tool', 'two'], { cwd: release })))
    sign()
  }
  const verify = (program = native) => {
    const result = run(program, ['--key', pub, release])
    assert.ok(result.status === 0 || result.status === 1, `${result.signal} ${result.stderr}`)
    return result
  }
  const minisignAgrees = () => run('minisign', ['-V', '-H', '-q', '-p', pub, '-m', sums]).status === 0

  await t.test('the same verdict in the same words on every target', () => {
    const cases: readonly [string, number, () => void][] = [
      ['good', 0, () => {}],
      ['longer', 1, () => appendFileSync(join(release, 'one/tool'), 'x')],
      ['missing', 1, () => rmSync(join(release, 'two'))],
      ['extra', 1, () => writeFileSync(join(release, 'one/\x1b[2Jextra'), '')],
      ['folder', 1, () => (rmSync(join(release, 'two')), mkdirSync(join(release, 'two')))],
      ['link', 1, () => symlinkSync('one', join(release, 'three'))],
      ['unsigned list', 1, () => appendFileSync(sums, `${'0'.repeat(64)}  three\n`)],
      ['list that leaves the folder', 1, () => (appendFileSync(sums, `${'0'.repeat(64)}  ../three\n`), sign())],
      ['list of 2 MB', 1, () => (appendFileSync(sums, 'x'.repeat(2_000_000)), sign())],
    ]
    for (const [name, status, spoil] of cases) {
      make()
      spoil()
      const said = new Set(
        runners().map(({ program }) => {
          const result = verify(program)
          assert.equal(result.status, status, `${name}: ${program}: ${result.stdout}`)
          assert.ok(!result.stdout.includes('\x1b'))
          return result.stdout
        }),
      )
      assert.equal(said.size, 1, name)
    }
  })

  await t.test('no truncated signature verifies, at any length', () => {
    make()
    const whole = readFileSync(signature)
    for (let length = 0; length < whole.length; length += 1) {
      writeFileSync(signature, whole.subarray(0, length))
      assert.equal(verify().status, 1, `${length} bytes`)
    }
    writeFileSync(signature, whole)
    assert.equal(verify().status, 0)
  })

  await t.test('whatever is done to the signature, it verifies only where minisign says so too', () => {
    make()
    const whole = readFileSync(signature)
    const change = fc.record({
      at: fc.nat(whole.length - 1),
      remove: fc.nat(3),
      insert: fc.uint8Array({ maxLength: 3 }),
    })
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        let bytes = whole
        for (const { at, remove, insert } of changes) {
          bytes = Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + remove)])
        }
        writeFileSync(signature, bytes)
        if (verify().status === 0) assert.ok(minisignAgrees())
      }),
      { numRuns: 150 },
    )
  })

  await t.test('any bytes as list, signature or key: a verdict, never a crash', () => {
    fc.assert(
      fc.property(fc.constantFrom('sums', 'signature', 'key'), fc.uint8Array({ maxLength: 400 }), (which, bytes) => {
        make()
        if (which === 'key') {
          const bad = join(work, 'bad.pub')
          writeFileSync(bad, bytes)
          assert.equal(run(native, ['--key', bad, release]).status, 2)
          return
        }
        writeFileSync(which === 'sums' ? sums : signature, bytes)
        if (which === 'sums') sign()
        assert.equal(verify().status, 1)
      }),
      { numRuns: 60 },
    )
  })
})
