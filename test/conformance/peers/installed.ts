/** Programs that are built from their sources once, and kept in the user's cache folder by version. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'

export interface BuiltPeer {
  /** With its version. */
  readonly name: string
  readonly program: string
  /** Builds `bin/PROGRAM` below the folder. */
  readonly command: (folder: string) => {
    command: string
    args: readonly string[]
    env?: Readonly<Record<string, string>>
  }
}

/** @returns the absolute path of the program, or why it can't be had */
export function installed(peer: BuiltPeer): { readonly program: string } | { readonly absent: string } {
  const peers = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'pitlane', 'peers')
  const folder = join(peers, peer.name)
  const program = join(folder, 'bin', peer.program)
  if (existsSync(program)) return { program }
  const making = `${folder}.${process.pid}`
  const { command, args, env } = peer.command(making)
  mkdirSync(dirname(making), { recursive: true })
  console.log(`building ${peer.name}: ${command} ${args.join(' ')}`)
  const built = spawnSync(command, args, { env: { ...process.env, ...env }, encoding: 'utf8', maxBuffer: 2 ** 28 })
  try {
    if (built.status !== 0 || !existsSync(join(making, 'bin', peer.program)))
      return { absent: `${peer.name} could not be built: ${built.error?.message ?? lastLine(built.stderr)}` }
    // Whole or not at all, also when two tests build it.
    if (!existsSync(program)) renameSync(making, folder)
    return { program }
  } finally {
    rmSync(making, { recursive: true, force: true })
  }
}

export function goModule(name: string, program: string, module: string): BuiltPeer {
  return {
    name,
    program,
    command: (folder) => ({ command: 'go', args: ['install', module], env: { GOBIN: join(folder, 'bin') } }),
  }
}

export function cargoCrate(crate: string, version: string): BuiltPeer {
  return {
    name: `${crate}-${version}`,
    program: crate,
    command: (folder) => ({
      command: 'cargo',
      args: ['install', crate, '--version', version, '--locked', '--root', folder],
    }),
  }
}

function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? ''
}
