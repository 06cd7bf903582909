/** The programs of others that conformance tests hold Pitlane against, and the Debian packages they come from. */
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'

export interface Peer {
  /** A program on PATH, or the absolute path of a file: there means installed. */
  readonly proof: string
  /** Debian package; null where Debian's is too old to be one. */
  readonly package: string | null
}

export const PEERS: readonly Peer[] = [
  { proof: 'git', package: 'git' },
  { proof: 'readelf', package: 'binutils' },
  { proof: 'file', package: 'file' },
  { proof: 'gcc', package: 'gcc' },
  { proof: '/usr/lib/x86_64-linux-gnu/libc.a', package: 'libc6-dev' },
  { proof: 'musl-gcc', package: 'musl-tools' },
  { proof: 'aarch64-linux-gnu-gcc', package: 'gcc-aarch64-linux-gnu' },
  { proof: '/usr/aarch64-linux-gnu/lib/libc.a', package: 'libc6-dev-arm64-cross' },
  { proof: 'arm-linux-gnueabihf-gcc', package: 'gcc-arm-linux-gnueabihf' },
  { proof: '/usr/arm-linux-gnueabihf/lib/libc.a', package: 'libc6-dev-armhf-cross' },
  { proof: 'i686-linux-gnu-gcc', package: 'gcc-i686-linux-gnu' },
  { proof: '/usr/i686-linux-gnu/lib/libc.a', package: 'libc6-dev-i386-cross' },
  { proof: 'qemu-arm-static', package: 'qemu-user-static' },
  { proof: 'skopeo', package: 'skopeo' },
  { proof: 'docker-registry', package: 'docker-registry' },
  { proof: 'nginx', package: 'nginx-light' },
  { proof: 'aws', package: 'awscli' },
  { proof: 'rclone', package: 'rclone' },
  { proof: 'podman', package: 'podman' },
  { proof: 'runc', package: 'runc' },
  { proof: 'minisign', package: 'minisign' },
  { proof: 'openssl', package: 'openssl' },
  { proof: 'dash', package: 'dash' },
  { proof: 'busybox', package: 'busybox-static' },
  { proof: 'zsh', package: 'zsh' },
  { proof: 'fish', package: 'fish' },
  { proof: 'curl', package: 'curl' },
  { proof: 'perl', package: 'perl-base' },
  { proof: 'wget', package: 'wget' },
  { proof: 'chromium', package: 'chromium' },
  // Reads what Go of today writes into its binaries; Debian's is of 2022.
  { proof: 'go', package: null },
  // Builds Garage; Debian's is too old for it.
  { proof: 'cargo', package: null },
]

/** Where system programs and the installers of Go and Rust put things, besides what PATH says. */
const FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/local/go/bin', join(homedir(), '.cargo', 'bin')]

/** PATH with those folders behind it, as far as they exist. */
export function searchPath(): string {
  const given = (process.env['PATH'] ?? '').split(delimiter)
  return [...given, ...FOLDERS.filter((folder) => !given.includes(folder) && existsSync(folder))].join(delimiter)
}

export function missingPeers(): readonly Peer[] {
  const folders = searchPath().split(delimiter)
  return PEERS.filter(
    ({ proof }) => !(proof.startsWith('/') ? [proof] : folders.map((at) => join(at, proof))).some(runs),
  )
}

function runs(path: string): boolean {
  try {
    accessSync(path, path.endsWith('.a') ? constants.R_OK : constants.X_OK)
    return true
  } catch {
    return false
  }
}

/**
 * Installs the packages of these peers when this is root on a Debian; what apt-get says goes to a file in the user's cache folder.
 * Returns what is to be told: nothing when all went well. A package that could not be installed is only missing, not an error.
 */
export function installPeers(peers: readonly Peer[]): string | null {
  const packages = peers.flatMap((peer) => peer.package ?? [])
  if (packages.length === 0) return null
  const command = `apt-get install ${packages.join(' ')}`
  if (process.getuid?.() !== 0) return `not root, so nothing is installed; as root: ${command}`
  if (spawnSync('apt-get', ['--version']).status !== 0)
    return 'this is no Debian: install the programs by its own means'

  const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'pitlane')
  mkdirSync(cache, { recursive: true })
  const log = join(cache, 'conformance-apt.log')
  writeFileSync(log, '')
  const apt = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync('apt-get', ['-o', 'DPkg::Lock::Timeout=300', ...args], {
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
      timeout: 480_000,
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
    })
    writeFileSync(log, `# apt-get ${args.join(' ')}\n${stdout}${stderr}`, { flag: 'a' })
    return status === 0
  }
  if (apt('update', '-q') && apt('install', '-q', '-y', '--no-install-recommends', ...packages)) return null
  const last = readFileSync(log, 'utf8').trimEnd().split('\n').slice(-5)
  return `${command} failed (${log}):\n  ${last.join('\n  ')}`
}
