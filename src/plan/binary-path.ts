/** Where a build leaves its binary: a path with variables, inside the stage's checkout. */
import { posix } from 'node:path'
import { substitute } from './substitute.ts'

export type BinaryPath =
  | { readonly kind: 'path'; readonly path: string; readonly name: string }
  /** `problem` is a sentence for the person, without the file's place. */
  | { readonly kind: 'unfit'; readonly problem: string }

/** File names that the bucket's layout can hold beside `<name>.sha256` and `<name>.minisig`. */
export const BINARY_NAME = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$/

/** The path for one target, relative to the checkout, and its last part: the name that people download. */
export function binaryPath(template: string, variables: Readonly<Record<string, string>>): BinaryPath {
  const substituted = substitute(template, variables)
  if (substituted.kind === 'unknown') return { kind: 'unfit', problem: substituted.problem }
  const { text } = substituted
  const unfit = (problem: string): BinaryPath => ({ kind: 'unfit', problem: `${JSON.stringify(text)} ${problem}` })
  if (text.startsWith('/')) return unfit('is absolute, and the binary has to be inside the checkout')
  if (text.split('/').includes('..'))
    return unfit('leads out of a folder with "..", and the binary has to be inside the checkout')
  if (text.endsWith('/')) return unfit('is a folder, and the path of a file is needed')
  const path = posix.normalize(text)
  const name = posix.basename(path)
  if (!BINARY_NAME.test(name)) return unfit('ends in a name that is not of letters, digits and . _ + -')
  return { kind: 'path', path, name }
}
