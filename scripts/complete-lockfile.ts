// npm leaves optional packages for other platforms out of package-lock.json when the registry in reach doesn't serve them,
// and `npm ci` then refuses the lockfile. This adds an entry for each of them; `--check` only says whether any is missing.
import { readFileSync, writeFileSync } from 'node:fs'

interface LockedPackage {
  version: string
  optional?: boolean
  dev?: boolean
  devOptional?: boolean
  optionalDependencies?: Record<string, string>
  [key: string]: unknown
}

const check = process.argv.includes('--check')
const files = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
let missing = 0

for (const file of files.length > 0 ? files : ['package-lock.json', 'examples/verifier/package-lock.json']) {
  const lock = JSON.parse(readFileSync(file, 'utf8')) as { packages: Record<string, LockedPackage> }
  for (const [at, owner] of Object.entries(lock.packages)) {
    if (at === '') continue
    for (const [name, version] of Object.entries(owner.optionalDependencies ?? {})) {
      if (lock.packages[`node_modules/${name}`] || lock.packages[`${at}/node_modules/${name}`]) continue
      missing += 1
      if (check) console.error(`${file}: ${name}@${version}, an optional dependency of ${at}, has no entry`)
      lock.packages[`node_modules/${name}`] = {
        version,
        ...(owner.dev ? { dev: true } : {}),
        optional: true,
        ...platformOf(name),
      }
    }
  }
  if (!check) {
    lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
    writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`)
  }
}

console.log(check ? `${missing} missing lockfile entries` : `${missing} lockfile entries added`)
if (check && missing > 0) {
  console.error('run: npm run lockfile')
  process.exitCode = 1
}

/** What the package is for, by the words native packages are named with; without it npm would install every platform's. */
function platformOf(name: string): { os?: string[]; cpu?: string[]; libc?: string[] } {
  const words = new Set(name.split(/[/@._-]+/))
  const find = (known: readonly string[]) => known.filter((word) => words.has(word))
  const os = find(['linux', 'darwin', 'win32', 'freebsd', 'openbsd', 'netbsd', 'sunos', 'aix', 'android', 'openharmony'])
  const cpu = find(['x64', 'arm64', 'arm', 'ia32', 'ppc64', 'riscv64', 's390x', 'loong64', 'mips64el', 'wasm32'])
  const libc = find(['gnu', 'musl', 'glibc']).map((word) => (word === 'gnu' ? 'glibc' : word))
  return {
    ...(os.length > 0 ? { os } : {}),
    ...(cpu.length > 0 ? { cpu } : {}),
    ...(os.includes('linux') && libc.length > 0 ? { libc } : {}),
  }
}
