// How a server is asked for what many folders hold. What is answered here a real server can't be made to say; real ones are asked in the bucket contract.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ListObjectsV2CommandInput } from '@aws-sdk/client-s3'
import { contentsBelow } from './contents.ts'
import type { Listing } from './listing.ts'

const NOW = Date.UTC(2026, 0, 2)
const OLD = new Date(NOW - 3_600_000)
const TAG = '"0123456789abcdef0123456789abcdef"'
const names = Array.from({ length: 230 }, (_, n) => `v${n % 7}.${n}${n % 3 === 0 ? '-rc' : ''}`)
const keys = names
  .flatMap((name) => ['a/other.json', 'release.json', 'release.json.minisig', 'x'].map((file) => `r/${name}/${file}`))
  .concat('r/index.json', 'r/release.json')
  .sort()

/** Five keys to a page. */
function server(options: { readonly startsAnywhere: boolean; readonly asked?: ListObjectsV2CommandInput[] }): Listing {
  return {
    address: { bucket: 'b', prefix: 'p/' } as Listing['address'],
    prefix: 'r/',
    where: 's3://b/p/r/',
    ask: async ({ input }) => {
      options.asked?.push(input)
      const after = input.ContinuationToken ?? (options.startsAnywhere ? input.StartAfter : undefined) ?? ''
      const rest = keys.map((key) => `p/${key}`).filter((key) => key > after)
      const Contents = rest.slice(0, 5).map((Key) => ({ Key, ETag: TAG, Size: 7, LastModified: OLD }))
      const isLast = rest.length <= 5
      return { IsTruncated: !isLast, Contents, ...(!isLast && { NextContinuationToken: Contents.at(-1)?.Key ?? '' }) }
    },
  }
}

const wanted = (name: string) => name.startsWith('release.json')

function assertAll(found: Awaited<ReturnType<typeof contentsBelow>>): void {
  assert.deepEqual([...found.keys()].sort(), [...names].sort())
  for (const objects of found.values())
    assert.deepEqual(
      objects.map(({ name, stamp }) => [name, stamp]),
      ['release.json', 'release.json.minisig'].map((name) => [name, `${TAG.slice(1, -1)} 7 ${OLD.getTime()}`]),
    )
}

test('many folders are listed in stretches, and each object is found once', async () => {
  const asked: ListObjectsV2CommandInput[] = []
  assertAll(await contentsBelow(server({ startsAnywhere: true, asked }), names, wanted, NOW))
  assert.ok(asked.filter(({ StartAfter, ContinuationToken }) => StartAfter && !ContinuationToken).length > 1)
})

test('a server that always lists from the beginning is listed once more, whole', async () => {
  assertAll(await contentsBelow(server({ startsAnywhere: false }), names, wanted, NOW))
})

test('only a tag that can be of no other bytes counts', async () => {
  const stampOf = async (ETag: string | undefined, LastModified = OLD) => {
    const listing: Listing = {
      ...server({ startsAnywhere: true }),
      ask: async () => ({
        IsTruncated: false,
        Contents: [{ Key: 'p/r/v1/x', Size: 7, LastModified, ...(ETag !== undefined && { ETag }) }],
      }),
    }
    return (await contentsBelow(listing, ['v1'], () => true, NOW)).get('v1')?.[0]?.stamp ?? null
  }
  const now = new Date(NOW)
  assert.notEqual(await stampOf(TAG, now), null)
  assert.notEqual(await stampOf('"0123456789abcdef0123456789abcdef-2"'), null)
  assert.equal(await stampOf('"64f0-5e2a"', now), null, 'made of a date that the next write may have too')
  for (const tag of [undefined, '', '""', 'W/"0123456789abcdef0123456789abcdef"', 'W/64f0'])
    assert.equal(await stampOf(tag), null, tag)
})
