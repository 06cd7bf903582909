// A release with documentation, a site put by hand and a withdrawal that the site follows die at every change of the site: no page ever names what is
// not there, and the same command ends in the same bytes. So does another machine that knows only the bucket.
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { after, before, test } from 'node:test'
import { KEYS } from '../../../src/plan/keys.ts'
import { PUBLIC_KEY } from '../../world/toy.ts'
import { EVERY, eachKilled } from '../killing.ts'
import { look } from '../readers.ts'
import { NOW, Runs } from '../runs.ts'
import * as worlds from '../worlds.ts'

const DAY = 86_400_000
const configuration = (versions: boolean) => `name: toy
checks:
  - { name: unit, run: grep -q toy source.txt }
release:
  targets: [x86_64-unknown-linux-musl]
  build: { run: sh toycc.sh, binary: out/$TARGET/toy }
  documentation:
    folder: site
    versions: ${versions}
    run: |
      mkdir -p site/css
      echo "<link href='css/$VERSION.css'><a href='new-$VERSION.html'>new</a><a href='a.html'>a</a>" > site/index.html
      echo "<link href='css/$VERSION.css'>" > site/a.html
      echo "<a href='a.html'>back</a><a href='index.html'>top</a>" > site/new-$VERSION.html
      echo "/* $VERSION */" > site/css/$VERSION.css
publish: { bucket: ../bucket, public: https://releases.example.org }
`
const RELEASE = ['release', 'v1.1.0']
const WITHDRAW = ['releases', 'withdraw', 'v1.1.0', '--reason', 'it is no good']
const BY_HAND = ['publish', 'site', 'by-hand']

let runs: Runs
/** With v1.0.0, and v1.1.0 to come; documentation is kept under versions in the one, and not in the other. */
let kept: worlds.World
let newest: worlds.World

before(async () => {
  runs = await Runs.open()
  kept = await released(true)
  newest = await released(false)
})

after(() => {
  for (const world of [kept, newest]) worlds.removeWorld(world)
  runs.close()
})

async function released(versions: boolean): Promise<worlds.World> {
  const world = worlds.freshWorld(configuration(versions))
  mkdirSync(join(world.project, 'by-hand/css'), { recursive: true })
  writeFileSync(join(world.project, 'by-hand/index.html'), "<a href='a.html'>a</a><link href='css/other.css'>")
  writeFileSync(join(world.project, 'by-hand/a.html'), "<link href='css/other.css'><a href='index.html'>top</a>")
  writeFileSync(join(world.project, 'by-hand/css/other.css'), '/* other */')
  worlds.git(world, 'add', '.')
  worlds.git(world, 'commit', '--quiet', '--message', 'More')
  worlds.git(world, 'tag', 'v1.1.0')
  await done(world, ['release', 'v1.0.0'])
  return world
}

async function done(world: worlds.World, args: readonly string[], now = NOW) {
  const answer = await runs.warm(world, { args, now })
  assert.equal(answer.code, 0, answer.output)
  return answer
}

/** Names that pages of the site lead to from its first page and that are not there. */
function brokenLinks({ bucket }: worlds.World): readonly string[] {
  const docs = join(bucket, 'docs')
  const broken: string[] = []
  const seen = new Set<string>()
  const waiting = existsSync(join(docs, 'index.html')) ? ['index.html'] : []
  for (let page = waiting.pop(); page !== undefined; page = waiting.pop()) {
    if (seen.has(page)) continue
    seen.add(page)
    for (const [, link = ''] of readFileSync(join(docs, page), 'utf8').matchAll(/href='([^']+)'/g)) {
      const name = normalize(join(dirname(page), link))
      if (!existsSync(join(docs, name))) broken.push(`${page}: ${name}`)
      else if (name.endsWith('.html')) waiting.push(name)
    }
  }
  return broken
}

function assertReadable(world: worlds.World, at: string): void {
  assert.deepEqual(brokenLinks(world), [], at)
  assert.deepEqual(look(world, 'v1.1.0').problems, [], at)
}

const verify = (world: worlds.World, version: string) =>
  done(world, ['verify', version, '--from', world.bucket, '--key', PUBLIC_KEY])

/** What changes the bucket's documentation, and the lists that follow. */
const OWN = /^(bucket\.(put|delete) (docs\/|_releases\/(_documentation|v1\.1\.0\/documentation)).*) (middle|after)$/
const CHANGE = /^(write|bucket\.put) .* (middle|after)$/
/** One in so many of what other commands do as well. */
const REST = 10

async function pointsOf(world: worlds.World, args: readonly string[], now = NOW) {
  const whole = worlds.copyOf(world)
  const { points } = await done(whole, args, now)
  const published = worlds.published(whole)
  worlds.removeWorld(whole)
  const own = points.filter((point) => OWN.test(point))
  assert.ok(own.length >= 10, `${own.length} points`)
  // While steps run a process dies at once, and with it what stands still in it: that is tested where releases are.
  const later = points.slice(points.indexOf(own[0] ?? ''))
  const rest = later.filter((point) => CHANGE.test(point) && !OWN.test(point))
  return { own, published, points: [...own, ...rest.filter((_, place) => EVERY || place % REST === 0)] }
}

/** One in three of the moments after something changed. */
function sampleOf(own: readonly string[]): readonly string[] {
  const some = own.filter((point) => point.endsWith(' after')).filter((_, place) => EVERY || place % 3 === 0)
  assert.ok(some.length >= 3)
  return some
}

async function endsTheSame(world: worlds.World, args: readonly string[]): Promise<void> {
  const { points, published } = await pointsOf(world, args)
  await eachKilled(runs, { world, args, points }, async (copy, at) => {
    assertReadable(copy, at)
    await done(copy, args)
    assert.deepEqual(worlds.published(copy), published, at)
    assertReadable(copy, at)
    worlds.assertNothingIsLeft(copy)
  })
}

const slow = { timeout: 400_000 }
test('a release', slow, () => endsTheSame(newest, RELEASE))
test('a release whose documentation stays under its version', slow, () => endsTheSame(kept, RELEASE))
test('a site put by hand', slow, () => endsTheSame(newest, BY_HAND))
test('a withdrawal', slow, async () => {
  const world = worlds.copyOf(kept)
  await done(world, RELEASE)
  await endsTheSame(world, WITHDRAW)
  worlds.removeWorld(world)
})

test('another machine, on another day, ends it, or puts another site in its place', slow, async () => {
  for (const world of [kept, newest]) {
    const { own } = await pointsOf(world, RELEASE)
    const some = sampleOf(own)
    for (const args of [RELEASE, BY_HAND])
      await eachKilled(runs, { world, args: RELEASE, points: some }, async (copy, at) => {
        rmSync(join(copy.project, '.pitlane'), { recursive: true })
        await done(copy, args, NOW + DAY)
        assertReadable(copy, at)
        if (args === RELEASE) await verify(copy, 'v1.1.0')
        await verify(copy, 'v1.0.0')
        // Whatever was put is known, so that one day it goes.
        await done(copy, BY_HAND, NOW + 2 * DAY)
        await done(copy, BY_HAND, NOW + 10 * DAY)
        assert.deepEqual(brokenLinks(copy), [])
        const left = readdirSync(join(copy.bucket, 'docs'), { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile() && !entry.parentPath.includes('/docs/v'))
          .map(({ name }) => name)
        assert.deepEqual(left.sort(), ['a.html', 'index.html', 'other.css'], at)
      })
  }
})

test('what is kept under a version is put by `pages rebuild`, from the bucket alone', slow, async () => {
  const { own } = await pointsOf(kept, RELEASE)
  const begin = own.findIndex((point) => point.startsWith(`bucket.put ${KEYS.documentationNext} `))
  const some = sampleOf(own.slice(begin))
  await eachKilled(runs, { world: kept, args: RELEASE, points: some }, async (copy, at) => {
    rmSync(join(copy.project, '.pitlane'), { recursive: true })
    await done(copy, ['pages', 'rebuild'], NOW + DAY)
    assertReadable(copy, at)
    const { output } = await verify(copy, 'v1.1.0')
    assert.match(output, /documentation in docs\/, which is of v1\.1\.0/, at)
    await done(copy, RELEASE, NOW + DAY)
  })
})
