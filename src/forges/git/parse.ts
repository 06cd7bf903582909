/** Commits, annotated tags and trees as git stores them. Pure. */
import { PitlaneError } from '../../errors.ts'

export interface CommitFacts {
  readonly tree: string
  /** Committer time, whole seconds since 1970. */
  readonly time: number
  /** First line of the message. */
  readonly subject: string
}

export interface TreeEntry {
  /** As stored, in octal: `100644`, `100755`, `120000` (link), `40000` (folder), `160000` (submodule). */
  readonly mode: string
  /** Bytes as stored: git asks for no encoding. */
  readonly name: Buffer
  readonly id: string
}

const SIGNATURE = /^-----BEGIN (?:PGP SIGNATURE|PGP MESSAGE|SSH SIGNATURE|SIGNED MESSAGE)-----/

/** Of the year 9999: what is later has no date of ten characters, and no place in a release document. */
const LAST_SECOND = 253_402_300_799

export function parseCommit(id: string, body: Buffer): CommitFacts {
  const { headers, message } = split(body)
  const tree = /^tree ([0-9a-f]{40}|[0-9a-f]{64})$/m.exec(headers)?.[1]
  const time = Number(/^committer .*> (\d{1,12}) [+-]\d{4}$/m.exec(headers)?.[1] ?? Number.NaN)
  if (tree === undefined || !(time <= LAST_SECOND))
    throw new PitlaneError('GIT_FAILED', `the commit ${id} has no tree or no committer time that can be read`)
  const subject = message.split('\n').find((line) => line.trim() !== '')
  return { tree, time, subject: subject?.trim() ?? '' }
}

/** The message of an annotated tag without its signature; null when it says nothing. */
export function parseTagMessage(body: Buffer): string | null {
  const lines = split(body).message.split('\n')
  const signature = lines.findLastIndex((line) => SIGNATURE.test(line))
  const message = (signature === -1 ? lines : lines.slice(0, signature)).join('\n').trim()
  return message === '' ? null : message
}

export function parseTree(id: string, body: Buffer): TreeEntry[] {
  const idBytes = id.length / 2
  const entries: TreeEntry[] = []
  for (let at = 0; at < body.length; ) {
    const space = body.indexOf(0x20, at)
    const nul = body.indexOf(0, space)
    const end = nul + 1 + idBytes
    if (space === -1 || nul === -1 || end > body.length)
      throw new PitlaneError('GIT_FAILED', `the tree ${id} is damaged at byte ${at}`)
    entries.push({
      mode: body.toString('latin1', at, space),
      name: body.subarray(space + 1, nul),
      id: body.toString('hex', nul + 1, end),
    })
    at = end
  }
  return entries
}

/** Headers are lines up to the first empty one; the `encoding` header, where there is one, says what the message is written in. */
function split(body: Buffer): { headers: string; message: string } {
  const at = body.indexOf('\n\n')
  const headers = body.toString('latin1', 0, at === -1 ? body.length : at)
  const message = at === -1 ? Buffer.alloc(0) : body.subarray(at + 2)
  return { headers, message: decoderFor(/^encoding (\S+)$/m.exec(headers)?.[1]).decode(message) }
}

function decoderFor(label: string | undefined) {
  try {
    return new TextDecoder(label)
  } catch {
    return new TextDecoder()
  }
}
