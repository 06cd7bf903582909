// A small world for whole releases: a real git repository, real shell scripts, and a compiler that copies ready-made ELF files.
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { staticBinary } from '../../src/artifact/fixtures/elf-builder.ts'
import { TARGETS } from '../../src/plan/targets.ts'
import { encodeSecretKey } from '../../src/release/keys/minisign.ts'
import { privateKeyOf, rawPublicKey } from '../../src/release/keys/ed25519.ts'
import { formsOf } from '../../src/release/keys/public-key.ts'

/** A key that protects nothing: its secret half is in this file. */
const seed = Buffer.alloc(32, 7)
const keyId = Buffer.from('0102030405060708', 'hex')
const testKey = { keyId, seed, key: rawPublicKey(privateKeyOf(seed)) }
export const SECRET_KEY = encodeSecretKey(testKey)
export const PUBLIC_KEY = formsOf(testKey).line

export const CONFIGURATION = `name: toy
checks:
  - name: format
    run: test -f source.txt
  - name: unit
    run: |
      grep -q toy source.txt
      echo unit tests are green
release:
  targets: [${TARGETS.map((target) => target.triple).join(', ')}]
  build:
    run: sh toycc.sh
    binary: out/$TARGET/toy
  test:
    run: test "$("$BINARY")" = "hello from toy"
    targets: [x86_64-unknown-linux-musl, i686-unknown-linux-musl]
  image:
    name: example/toy
    command: [/toy]
publish:
  bucket: ../bucket
  registry: ../images
  public: https://releases.example.org
`

/** "Compiles" by copying what was made for the target, after a look at the source. */
const TOYCC = `set -eu
grep -q toy source.txt
mkdir -p "out/$TARGET"
cp "prebuilt/$TARGET" "out/$TARGET/toy"
`

export interface World {
  readonly root: string
  readonly project: string
  readonly bucket: string
  readonly images: string
  /** The environment for Pitlane and git: nothing of the machine's own configuration. */
  readonly env: Record<string, string>
  git(...args: string[]): string
  write(path: string, content: string | Buffer, mode?: number): void
  commit(message: string): string
  remove(): void
}

const DATE = '2026-03-01T12:00:00Z'

/** A project with one commit, tagged `v1.0.0`. Same name, same commits: nothing in it depends on where or when it is made. */
export function makeWorld(configuration = CONFIGURATION): World {
  const root = mkdtempSync(join(tmpdir(), 'pitlane-world-'))
  const project = join(root, 'project')
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: join(root, 'home'),
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: 'Toy',
    GIT_AUTHOR_EMAIL: 'toy@example.org',
    GIT_AUTHOR_DATE: DATE,
    GIT_COMMITTER_NAME: 'Toy',
    GIT_COMMITTER_EMAIL: 'toy@example.org',
    GIT_COMMITTER_DATE: DATE,
    PITLANE_SIGNING_KEY: SECRET_KEY,
  }
  mkdirSync(env.HOME, { recursive: true })
  writeFileSync(join(env.HOME, '.gitconfig'), '[user]\n\tname = Toy\n\temail = toy@example.org\n')
  mkdirSync(project)
  const world: World = {
    root,
    project,
    bucket: join(root, 'bucket'),
    images: join(root, 'images'),
    env,
    git(...args) {
      const { status, stdout, stderr } = spawnSync('git', args, { cwd: project, env, encoding: 'utf8' })
      if (status !== 0) throw new Error(`git ${args.join(' ')}: ${stderr}`)
      return stdout.trim()
    },
    write(path, content, mode = 0o644) {
      mkdirSync(dirname(join(project, path)), { recursive: true })
      writeFileSync(join(project, path), content)
      chmodSync(join(project, path), mode)
    },
    commit(message) {
      this.git('add', '--all')
      this.git('commit', '--quiet', '--message', message)
      return this.git('rev-parse', 'HEAD')
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  }
  world.git('init', '--quiet', '--initial-branch=main')
  world.write('pitlane.yaml', configuration)
  world.write('source.txt', 'the source of toy\n')
  world.write('toycc.sh', TOYCC, 0o755)
  for (const { triple } of TARGETS) {
    world.write(`prebuilt/${triple}`, staticBinary(triple, Buffer.from('toy'), { text: 'hello from toy\n' }), 0o755)
  }
  world.commit('The first toy')
  world.git('tag', '--annotate', 'v1.0.0', '--message', 'The first release')
  return world
}
