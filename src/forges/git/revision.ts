/** What a person's word for a commit may mean, in which order, and what they may have meant instead. Pure. */

export interface Candidate {
  /** What git is asked for; safe to send on a line of its own. */
  readonly expression: string
  /** The tag's name when this is a tag itself. */
  readonly tag: string | null
  /** The beginning of an id, which may be that of several objects. */
  readonly isAbbreviation: boolean
}

const REVISION_BYTES = 1024
/** Git looks a name up as a file first, whose name the file system limits. */
const SEGMENT_BYTES = 255
const FULL_ID = /^([0-9a-f]{40}|[0-9a-f]{64})$/i
const ABBREVIATED_ID = /^[0-9a-f]{4,63}$/i

export function isFullId(text: string): boolean {
  return FULL_ID.test(text)
}

/**
 * Tag before branch before remote branch before abbreviated commit id; `HEAD` and a full commit id are only themselves. `~` and `^` steps back
 * may follow, and make it a commit that is no tag. Nothing else of git's revision language is taken.
 * @returns the reason in words when it can't be a revision
 */
export function candidatesOf(revision: string): readonly Candidate[] | string {
  if (revision === '') return 'it is empty'
  if (revision.startsWith('-')) return "it begins with '-', as an option does"
  if (Buffer.byteLength(revision) > REVISION_BYTES) return `it is longer than ${REVISION_BYTES} bytes`
  const parts = /^([^~^]*)([~^][~^0-9]*)?$/.exec(revision)
  if (parts === null) return "after a name, only steps back such as '~2' or '^' are understood"
  const [, name = '', steps = ''] = parts
  const fault = refNameFault(name)
  if (fault !== null) return fault
  if (name.split('/').some((segment) => Buffer.byteLength(segment) > SEGMENT_BYTES))
    return `it has a segment longer than ${SEGMENT_BYTES} bytes, which git can list but not look up`
  const candidate = (expression: string, tag: string | null = null): Candidate => ({
    expression: expression + steps,
    tag: steps === '' ? tag : null,
    isAbbreviation: tag === null && steps === '' && expression === name && ABBREVIATED_ID.test(name),
  })
  if (name === 'HEAD' || isFullId(name)) return [candidate(name)]
  if (name.startsWith('refs/')) return [candidate(name, name.startsWith('refs/tags/') ? name.slice(10) : null)]
  return [
    candidate(`refs/tags/${name}`, name),
    candidate(`refs/heads/${name}`),
    candidate(`refs/remotes/${name}`),
    ...(ABBREVIATED_ID.test(name) ? [candidate(name)] : []),
  ]
}

/** The rules of git-check-ref-format(1), so that a name is only a name where git would read an expression. */
export function refNameFault(name: string): string | null {
  if (name === '') return 'it has no name that git could hold'
  if (/[\p{Cc} ~^:?*[\\]/u.test(name)) return 'it holds a character that no name in git can have'
  if (name === '@') return "it is '@', which is no name in git"
  if (name.includes('..') || name.includes('@{')) return "it holds '..' or '@{', which no name in git can have"
  if (name.endsWith('.')) return 'it ends with a dot'
  for (const segment of name.split('/')) {
    if (segment === '') return 'it has an empty segment'
    if (segment.startsWith('.') || segment.endsWith('.lock')) return "a segment begins with '.' or ends with '.lock'"
  }
  return null
}

/** For messages: quoted, short, without anything that moves the cursor. */
export function shown(name: string): string {
  const short = name.length > 80 ? `${name.slice(0, 80)}…` : name
  return `'${short.replace(/[\p{Cc}\p{Cf}]/gu, '\ufffd')}'`
}
