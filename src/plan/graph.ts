/** What has to come before what. */

/** `needs` of each node, by its name. Names that are no node are ignored. */
export type Graph = ReadonlyMap<string, readonly string[]>

/**
 * A cycle as the names on it, each needing the next, the first one again at the end; null when there is none. Takes time in
 * proportion to nodes and edges, and no stack.
 */
export function findCycle(graph: Graph): readonly string[] | null {
  const done = new Set<string>()
  for (const start of graph.keys()) {
    const path: { readonly name: string; next: number }[] = [{ name: start, next: 0 }]
    const onPath = new Set([start])
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const need = done.has(top.name) ? undefined : graph.get(top.name)?.[top.next]
      top.next += 1
      if (need === undefined) {
        done.add(top.name)
        onPath.delete(top.name)
        path.pop()
      } else if (onPath.has(need)) {
        const names = path.map(({ name }) => name)
        return [...names.slice(names.indexOf(need)), need]
      } else if (graph.has(need) && !done.has(need)) {
        path.push({ name: need, next: 0 })
        onPath.add(need)
      }
    }
  }
  return null
}
