/** Tags and the commits they name. */
import type { ObjectReader } from './objects.ts'
import { runGit } from './git.ts'

export interface Tag {
  readonly name: string
  readonly commit: string
}

/** Bytes of git's answer: some hundred thousand tags. */
const LIST_BYTES = 64 * 2 ** 20
const FORMAT = ['refname', 'objecttype', 'objectname', '*objecttype', '*objectname']
  .map((field) => `%(${field})`)
  .join('%00')

interface Entry {
  readonly name: string
  /** Null for a tag of a tag, whose end has to be looked up. */
  readonly commit: string | null
}

/**
 * All tags, or the one of that name. A tag of a file or a folder names no commit and is left out. The list is git's definite answer: a tag
 * whose object is missing makes git fail.
 */
export async function listTags(root: string, reader: () => ObjectReader, only?: string): Promise<Tag[]> {
  // A pattern matches below a name too, so the exact name is chosen afterwards.
  const args = ['for-each-ref', `--format=${FORMAT}`, only === undefined ? 'refs/tags' : `refs/tags/${only}`]
  const entries = parse((await runGit(root, args, LIST_BYTES)).toString()).filter(
    ({ name }) => only === undefined || name === only,
  )
  const nested = entries.filter(({ commit }) => commit === null)
  const peeled = nested.length === 0 ? new Map<string, string>() : await peel(reader, nested)
  return entries.flatMap(({ name, commit }) => {
    const found = commit ?? peeled.get(name)
    return found === undefined ? [] : [{ name, commit: found }]
  })
}

function parse(output: string): Entry[] {
  return output.split('\n').flatMap((line): Entry[] => {
    const [ref = '', type, id, peeledType, peeledId] = line.split('\0')
    const name = ref.slice('refs/tags/'.length)
    if (type === 'commit' && id !== undefined) return [{ name, commit: id }]
    if (peeledType === 'commit' && peeledId !== undefined) return [{ name, commit: peeledId }]
    return peeledType === 'tag' ? [{ name, commit: null }] : []
  })
}

async function peel(reader: () => ObjectReader, entries: readonly Entry[]): Promise<Map<string, string>> {
  using objects = reader()
  const commits = new Map<string, string>()
  objects.ask(entries.map(({ name }) => `refs/tags/${name}^{commit}`))
  for (const { name } of entries) {
    const head = await objects.head()
    if (typeof head === 'string') continue
    await objects.pump(head, () => undefined)
    commits.set(name, head.id)
  }
  return commits
}
