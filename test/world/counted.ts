// A bucket that tells what it was asked for.
import type { Bucket } from '../../src/buckets/types.ts'

export interface CountedBucket extends Bucket {
  /** Since it was last asked: `read KEY`, `put KEY`, `folders PREFIX` and so on. */
  asked(): readonly string[]
}

export function counted(bucket: Bucket): CountedBucket {
  let asked: string[] = []
  const ask = <T>(what: string, on: string, work: () => T): T => {
    asked.push(`${what} ${on}`)
    return work()
  }
  return {
    location: bucket.location,
    put: (key, body, options) => ask('put', key, () => bucket.put(key, body, options)),
    requireWritable: () => ask('requireWritable', '', () => bucket.requireWritable()),
    head: (key) => ask('head', key, () => bucket.head(key)),
    read: (key, limit) => ask('read', key, () => bucket.read(key, limit)),
    open: (key) => ask('open', key, () => bucket.open(key)),
    list: (prefix) => ask('list', prefix, () => bucket.list(prefix)),
    folders: (prefix) => ask('folders', prefix, () => bucket.folders(prefix)),
    contents: (prefix, wanted) => ask('contents', prefix, () => bucket.contents(prefix, wanted)),
    abandoned: () => ask('abandoned', '', () => bucket.abandoned()),
    delete: (key) => ask('delete', key, () => bucket.delete(key)),
    lease: (request) => ask('lease', '', () => bucket.lease(request)),
    asked: () => {
      const all = asked
      asked = []
      return all
    },
  }
}

/** What is asked of a bucket to write to it, or to keep others from writing. */
export const WRITES = /^(put|delete|lease|requireWritable) /
