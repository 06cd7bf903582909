import assert from 'node:assert/strict'
import { test } from 'node:test'
import { repositoryIn } from './by-hand.ts'

const inside = (registry: string, value: string) => repositoryIn(registry, { from: 'CONTAINER_NAME', value })

test('a repository may have the name of its registry in front, by any name that one goes by', () => {
  assert.equal(inside('docker.io', 'team/amd64_toy'), 'team/amd64_toy')
  for (const host of ['docker.io', 'index.docker.io', 'registry-1.docker.io'])
    assert.equal(inside('docker.io', `${host}/team/amd64_toy`), 'team/amd64_toy')
  assert.equal(inside('registry.example.org:5000/team', 'registry.example.org:5000/team/toy'), 'toy')
  assert.equal(inside('http://localhost:5000', 'localhost:5000/toy'), 'toy')
})

test('a folder stands for whatever registry is named', () => {
  assert.equal(inside('../images', 'docker.io/team/amd64_toy'), 'team/amd64_toy')
  assert.equal(inside('../images', 'team/amd64_toy'), 'team/amd64_toy')
})

test('a repository of another registry is refused', () => {
  assert.throws(() => inside('docker.io', 'ghcr.io/team/toy'), {
    code: 'USAGE',
    message: /CONTAINER_NAME is "ghcr\.io\/team\/toy" and publish\.registry is "docker\.io"/,
  })
})
