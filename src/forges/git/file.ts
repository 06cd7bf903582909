/** One file of a commit, without checking anything out. */
import { PitlaneError } from '../../errors.ts'
import type { ObjectReader } from './objects.ts'
import { parseTree } from './parse.ts'
import { shown } from './revision.ts'

const TREE_BYTES = 2 ** 26

/** Null when the commit has no file of that path; the commit itself has to be there. */
export async function readFileAt(
  objects: ObjectReader,
  commit: string,
  path: string,
  limit: number,
): Promise<Buffer | null> {
  const segments = path.split('/')
  let wanted = `${commit}^{tree}`
  for (const [index, segment] of segments.entries()) {
    objects.ask([wanted])
    const head = await objects.head()
    if (typeof head === 'string' || head.type !== 'tree')
      throw new PitlaneError('GIT_FAILED', `the commit ${commit} or its folder above ${shown(path)} is missing`)
    const entries = parseTree(head.id, await objects.body(head, TREE_BYTES))
    const entry = entries.find(({ name }) => name.equals(Buffer.from(segment)))
    const isFolder = entry?.mode === '40000' || entry?.mode === '040000'
    const isLast = index === segments.length - 1
    if (entry === undefined || isFolder === isLast) return null
    if (isLast && !entry.mode.startsWith('100')) throw notPlain(commit, path)
    if (!isLast && !isFolder) return null
    wanted = entry.id
  }
  objects.ask([wanted])
  const head = await objects.head()
  if (typeof head === 'string')
    throw new PitlaneError('GIT_FAILED', `the object ${wanted} of ${shown(path)} is missing`)
  if (head.size > limit)
    throw new PitlaneError(
      'CONFIG_INVALID',
      `${path} at ${commit} has ${head.size} bytes, more than the ${limit} allowed`,
      { hint: 'Commit a smaller one.' },
    )
  return objects.body(head, limit)
}

function notPlain(commit: string, path: string): PitlaneError {
  return new PitlaneError(
    'CONFIG_INVALID',
    `${path} at ${commit} is a symbolic link or a submodule, not a plain file`,
    {
      hint: 'Commit the file itself.',
    },
  )
}
