import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import type { Registry } from '../../image/types.ts'
import { exampleDocument } from '../../pages/fixtures/documents.ts'
import { auditImages } from './images.ts'

/** A registry that has nothing but strays, answers later the more often it was asked, and counts who waits. */
function emptyRegistry() {
  let waiting = 0
  let most = 0
  let left = 60
  const answer = async <T>(value: T) => {
    waiting += 1
    most = Math.max(most, waiting)
    await setTimeout((left = Math.max(0, left - 1)))
    waiting -= 1
    return value
  }
  const registry: Partial<Registry> = {
    location: 'docker.io',
    resolveTag: () => answer(null),
    readManifest: () => answer(null),
    hasBlob: () => answer(false),
    listTags: (repository) => answer([`${repository.slice(-1)}-stray`]),
  }
  return { registry: registry as Registry, most: () => most }
}

test('what is asked of a registry is asked several at once, and told in the same order', async () => {
  const { registry, most } = emptyRegistry()
  const document = exampleDocument('v1.0.0')
  const { image } = document
  assert.ok(image)
  const versions = {
    differences: [],
    stored: [{ document, sha256: '0'.repeat(64) }],
    marks: new Map(),
    known: new Set<string>(),
    unread: new Set<string>(),
    leaving: new Set<string>(),
  }
  const floating = ['1', '1.0', 'latest'].map((tag) => ({
    registry: 'docker.io',
    repository: image.repository,
    tag,
    version: 'v1.0.0',
    digest: image.digest,
  }))
  const found = await auditImages(registry, versions, { repositories: ['a/x', 'a/y', 'a/z'], floating, digest: false })
  const tags = [image, ...image.platforms].map(({ repository, tag }) => `${repository}:${tag}`)
  const strays = ['a/x:x-stray', 'a/y:y-stray', 'a/z:z-stray']
  const others = [...new Set([image, ...image.platforms].map(({ repository }) => repository))]
  assert.deepEqual(
    found.map(({ name }) => name),
    [
      ...tags,
      `${image.repository}@${image.digest}`,
      ...floating.map(({ tag }) => `${image.repository}:${tag}`),
      ...strays,
      ...others.map((repository) => `${repository}:${repository.slice(-1)}-stray`),
    ],
  )
  assert.ok(most() > 1 && most() <= 16, `${most()} at once`)
})
