import type { Web } from './web.ts'

/** What tests need to know of an S3 server, whichever it is. */
export interface S3Server {
  readonly name: string
  readonly url: string
  readonly region: string
  readonly accessKey: string
  readonly secretKey: string
  /** Makes an empty bucket. */
  makeBucket(name: string): Promise<void>
  /** Where everybody can read the bucket. */
  readBucket(name: string): Promise<Web>
  stop(): Promise<void>
}
