/**
 * Does the work for each item, at most `limit` at once, and returns the results in the order of the items. After a failure nothing more
 * is begun; when what was under way has ended, the first failure in the order of the items is thrown.
 */
export async function inParallel<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: PromiseSettledResult<R>[] = []
  const waiting = items.entries()
  let failed = false
  const worker = async () => {
    for (const [index, item] of waiting) {
      if (failed) return
      try {
        results[index] = { status: 'fulfilled', value: await work(item) }
      } catch (reason) {
        failed = true
        results[index] = { status: 'rejected', reason }
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker))
  const failure = results.find((result) => result?.status === 'rejected')
  if (failure !== undefined) throw failure.reason
  return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
}

/** Different works at the same time. When all of them have ended, the first failure in their order is thrown. */
export async function atOnce<const Works extends readonly (() => Promise<unknown>)[]>(
  works: Works,
): Promise<{ -readonly [At in keyof Works]: Awaited<ReturnType<Works[At]>> }> {
  const results = await inParallel(works, works.length, (work) => work())
  return results as { -readonly [At in keyof Works]: Awaited<ReturnType<Works[At]>> }
}

const held = new Map<string, Promise<unknown>>()

/** Runs one action at a time for a name, a path for one, within this process. */
export async function exclusively<T>(name: string, action: () => Promise<T>): Promise<T> {
  const before = held.get(name)
  const mine = (async () => {
    await before?.catch(() => undefined)
    return action()
  })()
  held.set(name, mine)
  try {
    return await mine
  } finally {
    if (held.get(name) === mine) held.delete(name)
  }
}

/** Work that is begun before its result is needed: it fails where it is awaited, and nowhere if it is not. */
export function ahead<T>(work: Promise<T>): Promise<T> {
  work.catch(() => undefined)
  return work
}

/** Does for many at once what is asked for one by one: what is asked for while it is at work waits, and comes next, all of it. */
export function together<T>(work: (items: readonly T[]) => Promise<void>): (item: T) => Promise<void> {
  let last: Promise<void> = Promise.resolve()
  let waiting: { readonly items: T[]; readonly done: Promise<void> } | null = null
  const begin = () => {
    const items: T[] = []
    const done = last.then(() => {
      waiting = null
      return work(items)
    })
    last = done.catch(() => undefined)
    return { items, done }
  }
  return (item) => {
    const mine = (waiting ??= begin())
    mine.items.push(item)
    return mine.done
  }
}
