/** Bytes as compilers make them, more or less: what packs to a good half. */
export function halfCompressible(size: number, seed = 0x9e3779b9): Buffer {
  // Every other run of 64 bytes is new, the others repeat something from the last 16 KiB.
  const bytes = Buffer.allocUnsafe(size)
  let state = seed
  const next = () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
  for (let at = 0; at < size; at += 128) {
    for (let byte = at; byte < at + 64 && byte + 4 <= size; byte += 4) bytes.writeUInt32LE(next(), byte)
    const from = Math.max(0, at - 128 * (next() % 128))
    bytes.copy(bytes, Math.min(at + 64, size), from, from + Math.min(64, Math.max(0, size - at - 64)))
  }
  return bytes
}
