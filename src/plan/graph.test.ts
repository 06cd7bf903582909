import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { findCycle } from './graph.ts'

const graph = (edges: Readonly<Record<string, readonly string[]>>) => new Map(Object.entries(edges))

test('cycles are found and printed from where they close', () => {
  assert.deepEqual(findCycle(graph({ a: ['b'], b: ['c'], c: ['b'] })), ['b', 'c', 'b'])
  assert.deepEqual(findCycle(graph({ a: ['a'] })), ['a', 'a'])
  assert.equal(findCycle(graph({ a: [], b: ['a', 'unknown'], c: ['a', 'b'], d: ['b', 'c'] })), null)
})

test('a long chain takes no stack', () => {
  const chain = new Map(Array.from({ length: 100_000 }, (_, index) => [`${index}`, [`${index + 1}`]] as const))
  assert.equal(findCycle(chain), null)
  assert.equal(findCycle(new Map([...chain, ['100000', ['0']]]))?.length, 100_002)
})

test('what is reported is a cycle, and a graph whose edges only go back has none', () => {
  const edges = fc.array(fc.array(fc.nat(7), { maxLength: 4 }), { minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(edges, (lists) => {
      const any = new Map(lists.map((needs, index) => [`${index}`, needs.map(String)]))
      const cycle = findCycle(any)
      cycle?.slice(1).forEach((name, index) => assert.ok(any.get(cycle[index] ?? '')?.includes(name)))
      if (cycle !== null) assert.equal(cycle[0], cycle.at(-1))
      const backward = new Map(lists.map((needs, at) => [`${at}`, needs.filter((need) => need < at).map(String)]))
      assert.equal(findCycle(backward), null)
      // Whoever can reach itself is on a cycle, so one has to be found.
      const reaches = [...any.keys()].some((name) => reachable(any, name).has(name))
      assert.equal(cycle !== null, reaches)
    }),
  )
})

function reachable(edges: ReadonlyMap<string, readonly string[]>, from: string): Set<string> {
  const reached = new Set(edges.get(from))
  for (const name of reached) for (const need of edges.get(name) ?? []) reached.add(need)
  return reached
}
