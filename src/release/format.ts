/** Reading the JSON documents of a bucket: each names its format, and what is not of its shape does not count. */
import type { z } from 'zod'
import { PitlaneError } from '../errors.ts'

interface Format<Schema extends z.ZodType> {
  /** The value of `format` that is known here: `pitlane-index/1`. */
  readonly format: string
  /** Where there are several, the one to hold the value against, so that a message speaks of that one. */
  readonly schema: Schema | ((value: unknown) => Schema)
  /** For messages: `an index of releases`. */
  readonly what: string
}

/** Throws `STATE_NEWER`, and `VERIFICATION_FAILED` when the bytes are not of this format. */
export function parseFormat<Schema extends z.ZodType>(
  bytes: Buffer,
  name: string,
  { format, schema, what }: Format<Schema>,
): z.infer<Schema> {
  let value: unknown
  try {
    value = JSON.parse(bytes.toString('utf8'))
  } catch (error) {
    throw new PitlaneError(
      'VERIFICATION_FAILED',
      `${name} is not JSON: ${(error as Error).message.replaceAll(/\s+/g, ' ')}`,
    )
  }
  refuseNewerFormat(value, format, name)
  const parsed = (typeof schema === 'function' ? schema(value) : schema).safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new PitlaneError(
    'VERIFICATION_FAILED',
    `${name} is not ${what}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`,
  )
}

/** A document of a format that a later version writes is no forgery: it is left alone, and told as what it is. */
function refuseNewerFormat(value: unknown, known: string, name: string): void {
  const format = typeof value === 'object' && value !== null && 'format' in value ? value.format : undefined
  const family = known.slice(0, known.lastIndexOf('/') + 1)
  if (typeof format !== 'string' || !format.startsWith(family) || format === known) return
  const found = format.slice(0, 40)
  throw new PitlaneError(
    'STATE_NEWER',
    `${name} was made by a newer Pitlane: it is ${found}, and this one knows ${known}`,
    {
      hint: 'Use the Pitlane version that made it, or a newer one. Nothing was changed.',
    },
  )
}
