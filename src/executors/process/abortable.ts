/** What the promise settles to; rejects with a signal's reason when that is aborted first. Leaves nothing behind on the signals. */
export async function abortable<T>(promise: Promise<T>, signals: readonly AbortSignal[]): Promise<T> {
  const aborted = Promise.withResolvers<never>()
  const abort = (event: Event) => aborted.reject((event.target as AbortSignal).reason)
  for (const signal of signals) signal.throwIfAborted()
  for (const signal of signals) signal.addEventListener('abort', abort)
  try {
    return await Promise.race([promise, aborted.promise])
  } finally {
    for (const signal of signals) signal.removeEventListener('abort', abort)
  }
}
