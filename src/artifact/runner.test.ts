import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { TARGETS } from '../plan/targets.ts'
import { findRunner } from './runner.ts'

test('this machine runs its own programs natively, and nothing is left of the probe', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pitlane-runner-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const own = TARGETS.find((target) => target.architecture === (process.arch === 'x64' ? 'amd64' : process.arch))
  assert.ok(own, `no target for ${process.arch}`)
  assert.deepEqual(await findRunner(own.triple, { machine: process.arch, path: '', folder }), { mode: 'native' })
  assert.deepEqual(readdirSync(folder), [])
})

test('without qemu a foreign machine has no runner, and an unknown target neither', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pitlane-runner-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const foreign = TARGETS.find((target) => target.architecture === (process.arch === 'arm64' ? 'amd64' : 'arm64'))
  assert.ok(foreign)
  assert.equal(await findRunner(foreign.triple, { machine: process.arch, path: '/nonexistent', folder }), null)
  assert.equal(await findRunner('vax-dec-ultrix', { machine: process.arch, path: '', folder }), null)
})

test('what the kernel runs through an emulator of its own is not called native', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pitlane-runner-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  // The same kernel, asked in the name of a processor that can't execute this code.
  const runner = await findRunner('x86_64-unknown-linux-musl', { machine: 'arm64', path: '', folder })
  assert.equal(runner, null)
})

test('where the CPU model counts, nothing is run natively, and an emulator is told which one', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pitlane-runner-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const emulator = join(folder, 'qemu-arm-static')
  writeFileSync(emulator, '#!/bin/sh\n', { mode: 0o755 })
  // On a processor of its own, too, which is a newer one.
  const search = { machine: 'arm64', path: folder, folder, exactCpu: true }
  assert.deepEqual(await findRunner('armv6l-unknown-linux-musleabihf', search), {
    mode: 'qemu',
    command: [emulator, '-cpu', 'arm1176'],
  })
  const own = { machine: process.arch, path: '', folder, exactCpu: true }
  assert.equal(await findRunner('x86_64-unknown-linux-musl', own), null)
})
