/** Where scenarios take place. Each kind is made once; a scenario gets a copy. */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { FAST } from '../world/fast-folder.ts'
import { CONFIGURATION, makeWorld } from '../world/toy.ts'

const SMALL = CONFIGURATION.replace(/targets: \[.*\]\n {2}build/, 'targets: [x86_64-unknown-linux-musl]\n  build')
  .replace(/ {4}targets: \[.*\n/, '    targets: all\n')
  .replace(/ {2}image:\n.*\n.*\n/, '')
  .replace(/ {2}registry: .*\n/, '')

const IMAGES = CONFIGURATION.replace(
  /targets: \[.*\]\n {2}build/,
  'targets: [x86_64-unknown-linux-musl, aarch64-unknown-linux-musl]\n  build',
).replace(/ {4}targets: \[.*\n/, '    targets: [x86_64-unknown-linux-musl]\n')

export interface Place {
  readonly root: string
  readonly project: string
  readonly env: Readonly<Record<string, string>>
  readonly shared: string
}

/** All worlds of one test run, the built product, and the programs that scenarios find in `PATH`. */
export class Worlds {
  /** The same for all scenarios: product, programs, compile cache. */
  readonly shared = mkdtempSync(join(FAST, 'pitlane-scenarios-'))
  readonly #templates = new Map<string, string>()
  #env: Readonly<Record<string, string>> = {}
  #count = 0

  constructor() {
    const product = join(this.shared, 'product')
    mkdirSync(join(product, 'bin'), { recursive: true })
    const built = spawnSync(process.execPath, ['scripts/build.ts', '--out', join(product, 'dist')], {
      encoding: 'utf8',
    })
    if (built.status !== 0) throw new Error(`the product could not be built: ${built.stderr}`)
    for (const file of ['bin/pitlane.js', 'package.json']) cpSync(file, join(product, file))
    linkPrograms(join(this.shared, 'programs'))
    const world = makeWorld()
    this.#env = world.env
    world.remove()
    const own = join(this.shared, 'bin')
    mkdirSync(own)
    symlinkSync(process.execPath, join(own, 'node'))
    writeFileSync(
      join(own, 'pitlane'),
      `#!/bin/sh\nexec '${process.execPath}' '${join(product, 'bin/pitlane.js')}' "$@"\n`,
      {
        mode: 0o755,
      },
    )
  }

  /** A fresh copy of the world of that kind. */
  make(kind: string): Place {
    const template = this.#template(kind)
    this.#count += 1
    const root = join(this.shared, `world-${this.#count}`)
    cpSync(template, root, { recursive: true, verbatimSymlinks: true })
    return { root, project: join(root, 'project'), env: this.#environment(root), shared: this.shared }
  }

  remove(): void {
    rmSync(this.shared, { recursive: true, force: true })
  }

  #template(kind: string): string {
    const known = this.#templates.get(kind)
    if (known !== undefined) return known
    const made = this.#build(kind)
    this.#templates.set(kind, made)
    return made
  }

  #build(kind: string): string {
    const root = join(this.shared, `template-${kind}`)
    const move = (configuration: string) => {
      const world = makeWorld(configuration)
      cpSync(world.root, root, { recursive: true, verbatimSymlinks: true })
      world.remove()
    }
    switch (kind) {
      case 'nothing':
        mkdirSync(join(root, 'project'), { recursive: true })
        mkdirSync(join(root, 'home'))
        return root
      case 'repository':
        cpSync(this.#template('nothing'), root, { recursive: true })
        this.#run(
          root,
          'git init --quiet --initial-branch=main && git config user.name Toy && git config user.email toy@example.org',
        )
        return root
      case 'small':
        move(SMALL)
        return root
      case 'toy':
        move(CONFIGURATION)
        return root
      case 'images':
        move(IMAGES)
        return root
      case 'released':
        // Two stable versions and a development build, with images.
        cpSync(this.#template('images'), root, { recursive: true, verbatimSymlinks: true })
        this.#run(root, 'pitlane release v1.0.0')
        this.#run(root, 'echo more >> source.txt && git commit --quiet --all --message "More toys" && git tag v1.1.0')
        this.#run(root, 'pitlane release v1.1.0')
        return root
      default:
        throw new Error(`there is no world ${kind}`)
    }
  }

  #run(root: string, command: string): void {
    const cwd = join(root, 'project')
    const { status, stdout, stderr } = spawnSync('sh', ['-c', command], {
      cwd,
      env: this.#environment(root),
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(`${command}\n${stdout}${stderr}`)
  }

  #environment(root: string): Record<string, string> {
    return {
      ...this.#env,
      HOME: join(root, 'home'),
      XDG_CACHE_HOME: join(this.shared, 'cache'),
      PATH: `${this.shared}/bin:${this.shared}/programs`,
      SCENARIO_TOOLS: resolve('test/scenarios/tools'),
      WORLD: root,
    }
  }
}

/** Emulators and what checks signatures: which of them are installed must not change what a scenario prints. */
const VARYING = /^(qemu-.*|minisign|openssl)$/

/** What the machine has, apart from what other machines lack. */
function linkPrograms(folder: string): void {
  mkdirSync(folder)
  const seen = new Set<string>()
  for (const from of (process.env['PATH'] ?? '').split(':')) {
    if (!from.startsWith('/') || from.includes('node_modules') || !existsSync(from)) continue
    for (const name of readdirSync(from)) {
      if (seen.has(name) || VARYING.test(name)) continue
      seen.add(name)
      symlinkSync(join(from, name), join(folder, name))
    }
  }
}
