/** How a target's program can be run on this machine, found out by trying. */
import { spawn } from 'node:child_process'
import { accessSync, chmodSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PitlaneError } from '../errors.ts'
import { findTarget, type Target } from '../plan/targets.ts'
import { probeProgram } from './probe-program.ts'

export type Runner =
  | { readonly mode: 'native' }
  | {
      readonly mode: 'qemu'
      /** Absolute path of the emulator and its arguments, before the program's path. */
      readonly command: readonly string[]
    }

/** Machines whose processors execute another machine's code themselves: an answer "it ran" from any other kernel is emulation. */
const NATIVE_ON: Record<Target['architecture'], readonly string[]> = {
  amd64: ['x64'],
  '386': ['x64', 'ia32'],
  arm64: ['arm64'],
  arm: ['arm64', 'arm'],
}

export interface RunnerSearch {
  /** Machine of this process: `process.arch`. */
  readonly machine: string
  /** `PATH`. */
  readonly path: string
  /** Folder for the probe; files in it must be executable. */
  readonly folder: string
  /** Only under the CPU model of the target, not on whatever newer one this machine has. */
  readonly exactCpu?: boolean
}

/**
 * Null when neither the kernel nor an installed qemu-user runs the target's programs.
 * @throws PitlaneError `STORAGE_FAILED` where no file of the folder can be executed, whatever is in it
 */
export async function findRunner(triple: string, search: RunnerSearch): Promise<Runner | null> {
  const target = findTarget(triple)
  if (target === undefined) return null
  const folder = mkdtempSync(join(search.folder, 'probe-'))
  try {
    await requireExecutable(folder, search.folder)
    const program = join(folder, 'probe')
    writeFileSync(program, probeProgram(target))
    chmodSync(program, 0o755)
    const native = NATIVE_ON[target.architecture].includes(search.machine) && search.exactCpu !== true
    if (native && (await exitsWithZero([program]))) return { mode: 'native' }
    if (search.exactCpu === true && target.qemu.cpu === null) return null
    for (const name of [target.qemu.program, target.qemu.program.replace(/-static$/, '')]) {
      const emulator = findProgram(name, search.path)
      if (emulator === null) continue
      const command = target.qemu.cpu === null ? [emulator] : [emulator, '-cpu', target.qemu.cpu]
      if (await exitsWithZero([...command, program])) return { mode: 'qemu', command }
    }
    return null
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** On a file system that is mounted so, every test would be red, or seem impossible. */
async function requireExecutable(folder: string, place: string): Promise<void> {
  const script = join(folder, 'script')
  writeFileSync(script, '#!/bin/sh\nexit 0\n')
  chmodSync(script, 0o755)
  if (await exitsWithZero([script])) return
  throw new PitlaneError('STORAGE_FAILED', `${place}: no program can be started there`, {
    hint: 'Is it mounted with noexec? The release test runs its binary there: keep the project on another file system.',
  })
}

function findProgram(name: string, path: string): string | null {
  for (const folder of path.split(':')) {
    if (!folder.startsWith('/')) continue
    const candidate = join(folder, name)
    try {
      accessSync(candidate, constants.X_OK)
      return candidate
    } catch {
      // Not in this folder.
    }
  }
  return null
}

function exitsWithZero(command: readonly string[]): Promise<boolean> {
  const [program = '', ...args] = command
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      stdio: 'ignore',
      env: {},
      timeout: 10_000,
      // Ended by a Ctrl-C in a terminal, it would look like one that can't run here.
      detached: true,
    })
    child.on('error', () => resolve(false))
    child.on('close', (code) => resolve(code === 0))
  })
}
