/** The first to settle; an aborted signal rejects with its reason. Leaves no listener behind. */
export async function firstOf<T>(promises: readonly Promise<T>[], signal?: AbortSignal): Promise<T> {
  if (signal === undefined) return await Promise.race(promises)
  const aborted = Promise.withResolvers<never>()
  const abort = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([...promises, aborted.promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
