/** One text for one value, so that a digest of it names the value. */

/**
 * JSON without spaces, the keys of every object sorted by their UTF-16 units, as in RFC 8785. Keys whose value is undefined are left
 * out. For plain data only: no dates, no numbers that JSON lacks.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item)).join(',')}]`
  if (typeof value !== 'object' || value === null) {
    const text: string | undefined = JSON.stringify(value)
    if (text === undefined || (typeof value === 'number' && !Number.isFinite(value))) {
      throw new TypeError(`${String(value)} has no JSON`)
    }
    return text
  }
  const fields = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`)
  return `{${fields.join(',')}}`
}
