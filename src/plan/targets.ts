/**
 * The one table of targets: triple ↔ platform ↔ ELF facts ↔ names that people and tools use. Everything else looks it up here.
 */

export interface Target {
  /** As in `_releases/<version>/<triple>/`. */
  readonly triple: string
  /** OCI platform: `os/architecture[/variant]`. */
  readonly platform: 'linux/amd64' | 'linux/386' | 'linux/arm64' | 'linux/arm/v6'
  readonly os: 'linux'
  /** GOARCH word, as OCI spells it; also what names of per-platform repositories have. */
  readonly architecture: 'amd64' | '386' | 'arm64' | 'arm'
  readonly variant: 'v6' | null
  /** What `$ARCH` is in the release's commands. */
  readonly arch: 'amd64' | 'i386' | 'arm64' | 'arm'
  readonly elf: { readonly class: 32 | 64; readonly machine: number; readonly maxArmVersion: 6 | null }
  /** Answers of `uname -m` on machines that run it natively. */
  readonly uname: readonly string[]
  /** Program of Debian's qemu-user-static, and the CPU model it must emulate. */
  readonly qemu: { readonly program: string; readonly cpu: string | null }
  /** For people: on the page. */
  readonly label: string
}

const AMD64 = {
  platform: 'linux/amd64',
  os: 'linux',
  architecture: 'amd64',
  variant: null,
  arch: 'amd64',
  elf: { class: 64, machine: 62, maxArmVersion: null },
  uname: ['x86_64', 'amd64'],
  qemu: { program: 'qemu-x86_64-static', cpu: null },
  label: 'x86-64 (64-bit Intel and AMD)',
} as const

const I386 = {
  platform: 'linux/386',
  os: 'linux',
  architecture: '386',
  variant: null,
  arch: 'i386',
  elf: { class: 32, machine: 3, maxArmVersion: null },
  uname: ['i386', 'i486', 'i586', 'i686'],
  qemu: { program: 'qemu-i386-static', cpu: null },
  label: 'i686 (32-bit Intel and AMD)',
} as const

const ARM64 = {
  platform: 'linux/arm64',
  os: 'linux',
  architecture: 'arm64',
  variant: null,
  arch: 'arm64',
  elf: { class: 64, machine: 183, maxArmVersion: null },
  uname: ['aarch64', 'arm64'],
  qemu: { program: 'qemu-aarch64-static', cpu: null },
  label: 'AArch64 (64-bit ARM)',
} as const

const ARMV6 = {
  platform: 'linux/arm/v6',
  os: 'linux',
  architecture: 'arm',
  variant: 'v6',
  arch: 'arm',
  elf: { class: 32, machine: 40, maxArmVersion: 6 },
  uname: ['armv6l', 'armv7l', 'armv7', 'armv8l'],
  qemu: { program: 'qemu-arm-static', cpu: 'arm1176' },
  label: 'ARMv6 (32-bit ARM, Raspberry Pi 1 and newer)',
} as const

/** In the order in which clients that take the first match should meet them. */
export const TARGETS: readonly Target[] = [
  { triple: 'x86_64-unknown-linux-musl', ...AMD64 },
  { triple: 'aarch64-unknown-linux-musl', ...ARM64 },
  { triple: 'armv6l-unknown-linux-musleabihf', ...ARMV6 },
  { triple: 'i686-unknown-linux-musl', ...I386 },
]

export function findTarget(triple: string): Target | undefined {
  return TARGETS.find((target) => target.triple === triple)
}
