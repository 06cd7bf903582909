/**
 * A bucket key as a relative URL. `+` is encoded too: some S3 servers read it as a space.
 * A version starts with a letter or a digit and keys below `_releases/` with an underscore, so none looks like a scheme.
 */
export function relativeUrl(key: string): string {
  return key.split('/').map(encodeURIComponent).join('/')
}

/** A bucket key as an absolute URL below the address of a bucket, which has no trailing slash. */
export function absoluteUrl(baseUrl: string, key: string): string {
  return `${baseUrl}/${relativeUrl(key)}`
}
