// The lists as the tools read them that people update their machines with. mise is the real one, from npm; Renovate, which brings half
// a gigabyte, is replayed: what its custom datasource accepts, and what it then makes of it.
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { clean, rcompare } from 'semver'
import { z } from 'zod'
import { KEYS } from '../../src/plan/keys.ts'
import { absentPrograms, runProgram, succeed } from '../world/program.ts'
import { type Published, publishWorld } from '../world/published.ts'

const MISE = '2026.9.15'

let world: Published
before(async () => (world = await publishWorld()))
after(() => world?.close())

/** The program, installed into the user's cache the first time; or why there is none. */
async function mise(): Promise<{ readonly program: string } | { readonly reason: string }> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return { reason: 'mise is fetched for linux-x64 only' }
  const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'pitlane')
  const folder = join(cache, `mise-${MISE}`)
  const program = join(folder, 'node_modules/@jdxcode/mise-linux-x64/bin/mise')
  if (existsSync(program)) return { program }
  mkdirSync(cache, { recursive: true })
  const fresh = mkdtempSync(join(cache, 'install-'))
  try {
    const options = ['--prefix', fresh, '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
    const npm = ['install', ...options, `@jdxcode/mise-linux-x64@${MISE}`]
    const { status, stderr } = await runProgram('npm', npm, { cwd: fresh })
    if (status !== 0) return { reason: `npm could not install mise: ${stderr.trim().split('\n')[0]}` }
    // Whoever came first has the same.
    if (!existsSync(folder)) renameSync(fresh, folder)
    return { program }
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
}

test('mise lists the stable versions, takes the newest, installs and runs it', async (t) => {
  const found = await mise()
  if ('reason' in found) return t.skip(found.reason)
  const folder = mkdtempSync(join(world.root, 'mise-'))
  const url = `${world.address}/_releases/v{{version}}/x86_64-unknown-linux-musl/toy`
  const list = `${world.address}/${KEYS.index}`
  writeFileSync(
    join(folder, 'mise.toml'),
    `[tools]\n"http:toy" = { version = "latest", version_list_url = "${list}", url = "${url}", bin = "toy" }\n`,
  )
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    MISE_TRUSTED_CONFIG_PATHS: folder,
    MISE_YES: '1',
    MISE_OFFLINE: '0',
  }
  const run = (...args: string[]) => succeed(found.program, args, { cwd: folder, env })
  assert.deepEqual((await run('ls-remote', 'http:toy')).trim().split('\n'), ['1.9.0', '1.10.0'])
  assert.equal((await run('latest', 'http:toy')).trim(), '1.10.0')
  await run('install')
  assert.equal(await run('exec', '--', 'toy'), 'hello from toy\n')
})

test('Renovate: accepts the list, and proposes the newest stable version with the digest of its image', async () => {
  const address = z.url()
  // Its custom datasource refuses null in what it knows, and ignores the rest.
  const Release = z.object({
    version: z.string(),
    isDeprecated: z.boolean().optional(),
    releaseTimestamp: z.iso.datetime().optional(),
    sourceUrl: address.optional(),
    changelogUrl: address.optional(),
    digest: z.string().optional(),
    isStable: z.boolean().optional(),
  })
  const List = z.object({ releases: z.array(Release), sourceUrl: address.optional(), homepage: address.optional() })
  const { releases } = List.parse(await (await fetch(`${world.address}/${KEYS.index}`)).json())
  assert.equal(releases.length, 3)
  const proposals = releases
    .filter(({ isStable, isDeprecated }) => isStable === true && isDeprecated !== true)
    .toSorted((a, b) => rcompare(clean(a.version) ?? '', clean(b.version) ?? ''))
  assert.deepEqual(
    proposals.map(({ version }) => version),
    ['v1.10.0', 'v1.9.0'],
  )
  const document = JSON.parse(readFileSync(join(world.bucket, KEYS.document('v1.10.0')), 'utf8')) as {
    image: { digest: string }
  }
  assert.equal(proposals[0]?.digest, document.image.digest)
})

test('a script with curl and sh: the pointer, the binary, the digest beside it', async (t) => {
  const absent = absentPrograms('sh', 'curl', 'sha256sum')
  if (absent.length > 0) return t.skip(`not installed: ${absent.join(', ')}`)
  const folder = mkdtempSync(join(world.root, 'script-'))
  const script = `
    version=$(curl -fsS "$BASE/_releases/latest")
    curl -fsSO "$BASE/_releases/$version/i686-unknown-linux-musl/toy"
    curl -fsSO "$BASE/_releases/$version/i686-unknown-linux-musl/toy.sha256"
    sha256sum --check --strict toy.sha256
    echo "$version"`
  const env = { PATH: process.env['PATH'], BASE: world.address }
  assert.equal(await succeed('sh', ['-eu'], { cwd: folder, env, input: script }), 'toy: OK\nv1.10.0\n')
})

test('a script that reads _releases.json as it always did: three kinds, all leaves text, the newest stable version first', async () => {
  const text = z.string()
  const Binary = z.strictObject({
    date: text,
    time: text,
    size: text,
    path: text,
    root: text,
    version: text,
    platform: text,
    binary: text,
    url: text,
  })
  const Kind = z.strictObject({
    name: z.enum(['Release', 'Extra', 'Development']),
    hide: z.boolean(),
    type: z.enum(['tag', 'commit']),
    description: text,
    builds: z.array(z.strictObject({ version: text, builds: z.array(Binary) })),
  })
  const kinds = z.array(Kind).parse(await (await fetch(`${world.address}/${KEYS.garageList}`)).json())
  assert.deepEqual(
    kinds.map(({ name, builds }) => [name, ...builds.map(({ version }) => version)]),
    [['Release', 'v1.10.0', 'v1.9.0'], ['Extra'], ['Development', world.development]],
  )
  const latest = kinds.find(({ name, type }) => name === 'Release' && type === 'tag')?.builds[0]?.builds[0]
  const bytes = await (await fetch(`${world.address}/${latest?.path}`)).bytes()
  assert.equal(String(bytes.length), latest?.size)
})
