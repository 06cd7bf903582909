/** Programs that are built from their sources once, and kept in the user's cache folder by version. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { programOnPath } from '../../world/program.ts'

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

/**
 * Builds it when it is not there, while nobody else does. What was built stands under its name whole or not at all: a build that is interrupted
 * leaves a folder with another name, which the next one removes.
 * @returns the absolute path of the program, or why it can't be had
 */
export function installed(peer: BuiltPeer): { readonly program: string } | { readonly absent: string } {
  const peers = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'pitlane', 'peers')
  const folder = join(peers, peer.name)
  const program = join(folder, 'bin', peer.program)
  if (existsSync(program)) return { program }
  if (process.env['PITLANE_PEERS'] === 'as-they-are') return { absent: `${peer.name} is not built` }
  const making = `${folder}.building`
  const { command, args, env } = peer.command(making)
  mkdirSync(peers, { recursive: true })
  console.log(`building ${peer.name}: ${command} ${args.join(' ')}`)
  const shell = ['sh', '-c', BUILD, 'build', making, folder, peer.program, command, ...args]
  const built = spawnSync('flock', [`${folder}.lock`, ...shell], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  })
  if (built.status === 0) return { program }
  return { absent: `${peer.name} could not be built: ${built.error?.message ?? lastLine(built.stderr)}` }
}

/** Under the lock; arguments: the folder to build in, the one it becomes, the program, the command. */
const BUILD = `
making=$1 folder=$2 program=$3
shift 3
[ ! -x "$folder/bin/$program" ] || exit 0
rm -rf "$making" "$folder"
"$@" && [ -x "$making/bin/$program" ] && mv "$making" "$folder"
`

/** One that comes with the system: see `scripts/peers.ts`. */
export function onPath(name: string): { readonly program: string } | { readonly absent: string } {
  const found = programOnPath(name)
  return found === null ? { absent: `${name} is not installed` } : { program: found }
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
