/** What each signal will end when it is aborted. One listener for a signal: adding and removing one for every step took as long as its row. */
const waiting = new WeakMap<AbortSignal, Set<(reason: unknown) => void>>()

/** What the promise settles to; rejects with a signal's reason when that is aborted first. Leaves nothing behind on the signals but one listener. */
export async function abortable<T>(promise: Promise<T>, signals: readonly AbortSignal[]): Promise<T> {
  for (const signal of signals) signal.throwIfAborted()
  const { promise: settled, resolve, reject } = Promise.withResolvers<T>()
  const sets = signals.map(waitingFor)
  for (const set of sets) set.add(reject)
  promise.then(resolve, reject)
  try {
    return await settled
  } finally {
    for (const set of sets) set.delete(reject)
  }
}

function waitingFor(signal: AbortSignal): Set<(reason: unknown) => void> {
  const known = waiting.get(signal)
  if (known !== undefined) return known
  const made = new Set<(reason: unknown) => void>()
  waiting.set(signal, made)
  signal.addEventListener('abort', () => {
    for (const reject of made) reject(signal.reason)
  })
  return made
}
