/** How projects of each kind are usually checked and built: what `pitlane init` knows. Pure functions of the files that are there. */

/** Names of files in the repository, relative, with the content of those that `INTERESTING_FILES` names and null for the others. */
export type RepositoryFiles = ReadonlyMap<string, string | null>

/** Files whose content is looked into. */
export const INTERESTING_FILES = ['Cargo.toml', 'go.mod', 'build.zig', 'package.json', 'Makefile'] as const

export interface Ecosystem {
  /** As people call it. */
  readonly title: string
  /** What the project calls itself; null where nothing tells. */
  readonly name: string | null
  readonly checks: readonly { readonly name: string; readonly run: string }[]
  /** Null when a project of this kind does not usually build a static binary. */
  readonly build: { readonly run: string; readonly binary: string } | null
  /** Whether the build reaches every target with what it has; otherwise only the first is written, the others as comments. */
  readonly everyTarget: boolean
  /** What could not be found out, in sentences. */
  readonly unknown: readonly string[]
}

/** The first kind that fits, the most specific ones first; null when none does. */
export function recognise(files: RepositoryFiles, name: string): Ecosystem | null {
  if (files.has('Cargo.toml')) return cargo(files, name)
  if (files.has('go.mod')) return go(files, name)
  if (files.has('build.zig')) return zig(files, name)
  if (files.has('package.json')) return npm(files)
  if (files.has('Makefile')) return make(files, name)
  return null
}

function cargo(files: RepositoryFiles, project: string): Ecosystem {
  const manifest = files.get('Cargo.toml') ?? ''
  const binary = nameIn(/^\[\[bin\]\][^[]*?^name\s*=\s*"([^"]+)"/m, manifest)
  const found = binary ?? nameIn(/^\[package\][^[]*?^name\s*=\s*"([^"]+)"/m, manifest)
  const name = fileName(found ?? project)
  const locked = files.has('Cargo.lock') ? ' --locked' : ''
  return {
    title: 'Cargo',
    name: found,
    checks: [
      { name: 'format', run: 'cargo fmt --all -- --check' },
      { name: 'lint', run: `cargo clippy --all-targets${locked} -- --deny warnings` },
      { name: 'test', run: `cargo test${locked}` },
    ],
    build: {
      run: [
        '# Rust spells one of the triples in another way.',
        'rust_target=$TARGET',
        'case $TARGET in armv6l-*) rust_target=arm-unknown-linux-musleabihf ;; esac',
        `cargo build --release${locked} --target "$rust_target"`,
        `mkdir -p out && cp "target/$rust_target/release/${name}" out/`,
      ].join('\n'),
      binary: `out/${name}`,
    },
    everyTarget: false,
    unknown: [
      ...(found === null ? [`Cargo.toml names no binary: "${name}" is the name of the folder.`] : []),
      'Whether this machine has the Rust targets (`rustup target add`) and a linker for each of them.',
    ],
  }
}

function go(files: RepositoryFiles, project: string): Ecosystem {
  const path = nameIn(/^module\s+"?([^\s"]+)/m, files.get('go.mod') ?? '')
  const inCommands = [...files.keys()].flatMap(
    (file) => /^cmd\/([A-Za-z0-9][A-Za-z0-9._-]*)\/[^/]*(?<!_test)\.go$/.exec(file)?.[1] ?? [],
  )
  const commands = [...new Set(inCommands)]
  const last = path
    ?.replace(/\/v[0-9]+$/, '')
    .split('/')
    .at(-1)
  const top = files.has('main.go')
  const command = top ? undefined : (commands.find((candidate) => candidate === last) ?? commands[0])
  const name = fileName(command ?? last ?? project)
  const unknown: string[] = []
  if (!top && command === undefined)
    unknown.push('Which package is the program: there is no main.go, and nothing in cmd/NAME.')
  if (!top && commands.length > 1)
    unknown.push(`Which command is released: "${name}" was taken of ${commands.join(', ')}.`)
  return {
    title: 'Go',
    name: last ?? null,
    checks: [
      // Prints the files, and is red too when gofmt can't read one.
      { name: 'format', run: 'files=$(gofmt -l .) && echo "$files" && test -z "$files"' },
      { name: 'lint', run: 'go vet ./...' },
      { name: 'test', run: 'go test ./...' },
    ],
    build: {
      run: [
        'case $TARGET in',
        '  x86_64-*)  export GOARCH=amd64 ;;',
        '  i686-*)    export GOARCH=386 ;;',
        '  aarch64-*) export GOARCH=arm64 ;;',
        '  armv6l-*)  export GOARCH=arm GOARM=6 ;;',
        'esac',
        '# Without cgo the binary is static. A variable `version` of the main package gets the version.',
        'export CGO_ENABLED=0 GOOS=linux',
        `go build -trimpath -ldflags "-s -w -X main.version=$VERSION" -o out/${name} ${command ? `./cmd/${command}` : '.'}`,
      ].join('\n'),
      binary: `out/${name}`,
    },
    everyTarget: true,
    unknown,
  }
}

function zig(files: RepositoryFiles, project: string): Ecosystem {
  const script = files.get('build.zig') ?? ''
  const found = nameIn(/\.name\s*=\s*"([^"]+)"/, script)
  const name = fileName(found ?? project)
  const tests = /step\(\s*"test"/.test(script)
  return {
    title: 'Zig',
    name: found,
    checks: [
      { name: 'format', run: 'zig fmt --check build.zig' + (hasFolder(files, 'src') ? ' src' : '') },
      tests ? { name: 'test', run: 'zig build test' } : { name: 'build', run: 'zig build' },
    ],
    build: {
      run: [
        'case $TARGET in',
        '  x86_64-*)  set -- -Dtarget=x86_64-linux-musl ;;',
        '  i686-*)    set -- -Dtarget=x86-linux-musl ;;',
        '  aarch64-*) set -- -Dtarget=aarch64-linux-musl ;;',
        '  armv6l-*)  set -- -Dtarget=arm-linux-musleabihf -Dcpu=arm1176jzf_s ;;',
        'esac',
        'zig build "$@" -Doptimize=ReleaseSafe --prefix out',
      ].join('\n'),
      binary: `out/bin/${name}`,
    },
    everyTarget: true,
    unknown: [
      ...(found === null ? [`build.zig names no program: "${name}" is the name of the folder.`] : []),
      ...(tests ? [] : ['How the project is tested: build.zig has no step "test".']),
      'Whether build.zig takes the options -Dtarget and -Doptimize (standardTargetOptions, standardOptimizeOption).',
    ],
  }
}

function make(files: RepositoryFiles, project: string): Ecosystem {
  const text = (files.get('Makefile') ?? '').slice(0, 65_536)
  const rules = new Set(Array.from(text.matchAll(/^([A-Za-z][A-Za-z0-9_-]*)[ \t]*:(?!=)/gm), ([, rule]) => rule))
  const known = ['format-check', 'lint', 'check', 'test'].filter((rule) => rules.has(rule))
  const release = ['release', 'build', 'all'].find((rule) => rules.has(rule))
  return {
    title: 'Makefile',
    name: null,
    // Rules that test often take for granted that all is built.
    checks: ['', ...known].map((rule) => ({ name: rule || 'build', run: `make ${rule}`.trim() })),
    build: { run: `make${release === undefined ? '' : ` ${release}`}`, binary: project },
    everyTarget: false,
    unknown: [
      ...(known.length > 0 ? [] : ['How the project is tested: the Makefile has no rule "lint", "check" or "test".']),
      `Where the Makefile leaves the binary: "${project}" is the name of the folder.`,
      'How the Makefile builds for $TARGET, and whether the binary is static.',
    ],
  }
}

function npm(files: RepositoryFiles): Ecosystem {
  const scripts = npmScripts(files.get('package.json') ?? '')
  const known = ['format:check', 'lint', 'types', 'typecheck', 'build', 'test'].filter((script) =>
    scripts.includes(script),
  )
  return {
    title: 'npm',
    name: null,
    checks: [
      { name: 'install', run: files.has('package-lock.json') ? 'npm ci' : 'npm install' },
      ...known.map((script) => ({ name: script.replace(':', '-'), run: `npm run ${script}` })),
    ],
    build: null,
    everyTarget: false,
    unknown: [
      ...(known.length > 0 ? [] : ['How the project is checked: package.json has no script such as "lint" or "test".']),
      'What is released: npm projects build no static binary by themselves.',
    ],
  }
}

function npmScripts(text: string): readonly string[] {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || !('scripts' in value)) return []
    return typeof value.scripts === 'object' && value.scripts !== null ? Object.keys(value.scripts) : []
  } catch {
    // Not JSON: then nothing is known of it.
    return []
  }
}

function nameIn(pattern: RegExp, text: string): string | null {
  const name = pattern.exec(text.slice(0, 65_536))?.[1]
  return name !== undefined && /^[A-Za-z0-9][A-Za-z0-9._/+-]{0,127}$/.test(name) ? name : null
}

/** What of a name can be a file name in a shell command. */
export function fileName(text: string): string {
  return (
    text
      .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
      .replace(/^[^A-Za-z0-9]+/, '')
      .slice(0, 64) || 'project'
  )
}

function hasFolder(files: RepositoryFiles, folder: string): boolean {
  return [...files.keys()].some((file) => file.startsWith(`${folder}/`))
}
