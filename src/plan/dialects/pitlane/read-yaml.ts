/**
 * YAML 1.2 (core schema) for files from outsiders: bounded in size, tokens, depth and aliases, strict about keys, and able to say
 * where every value stands. All limits are checked before the work that they limit.
 */
import { isUtf8 } from 'node:buffer'
import { Lexer, LineCounter, isAlias, isCollection, isMap, isPair, isScalar, isSeq, parseDocument } from 'yaml'
import type { Document, Node } from 'yaml'
import type { Place } from '../../../errors.ts'
import { PROBLEM_LIMIT, type Path, type PlacedProblem, configurationError } from './problems.ts'

/** Largest file, in bytes. */
export const SIZE_LIMIT = 1024 * 1024
/** Most lexical tokens: the parser needs about 10 µs for each that is wrong. */
const TOKEN_LIMIT = 100_000
const DEPTH_LIMIT = 32
const ALIAS_LIMIT = 100

export interface YamlFile {
  readonly value: unknown
  /** Where a value, or the name of the last key of the path, stands; of something absent, where its parent does. */
  place(path: Path, at: 'key' | 'value'): Place
  /** The value as it is written, when it is a plain word or number. */
  written(path: Path): string | null
}

const UNQUOTED: ReadonlySet<string> = new Set(['BLOCK_AS_IMPLICIT_KEY', 'BLOCK_IN_FLOW', 'BAD_SCALAR_START'])

/** The parser names the rule that was broken; mostly somebody wrote a command as it would stand in a shell. */
function remedy(code: string, message: string): string {
  const isUnquoted = UNQUOTED.has(code) || (code === 'UNEXPECTED_TOKEN' && message.endsWith(' at node end'))
  return isUnquoted
    ? '; a text that holds ": ", or begins with a quote, a bracket or one of @`%, needs quotes around the whole of it'
    : ''
}

/** @throws PitlaneError `CONFIG_INVALID` */
export function readYaml(file: string, bytes: Buffer): YamlFile {
  const text = decode(file, bytes)
  const lines = new LineCounter()
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset)
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  checkTokens(file, text)
  const document = parseDocument(text, {
    version: '1.2',
    lineCounter: lines,
    prettyErrors: false,
    // With `silent` the parser would also keep a second document to itself.
    logLevel: 'error',
    // The parser's own check compares each key with each: `keyProblems` looks them up.
    uniqueKeys: false,
  })
  // The first alone: what is said after a syntax error mostly follows from it.
  const syntax = [...document.errors, ...document.warnings].sort((a, b) => a.pos[0] - b.pos[0]).slice(0, 1)
  if (syntax.length > 0) {
    throw configurationError(
      syntax.map(({ code, message, pos }) => ({
        place: placeAt(pos[0]),
        message:
          code === 'RESOURCE_EXHAUSTION' ? 'nested too deeply' : `not valid YAML: ${message}${remedy(code, message)}`,
      })),
    )
  }
  const problems = structureProblems(document, placeAt)
  if (problems.length > 0) throw configurationError(problems)
  return {
    value: toJavaScript(file, document),
    place: (path, at) => placeAt(offsetOf(document, path, at)),
    written: (path) => {
      const node = walk(document, path).node
      return isScalar(node) && node.type === 'PLAIN' ? (node.source ?? null) : null
    },
  }
}

function decode(file: string, bytes: Buffer): string {
  const fail = (line: number, column: number, message: string): never => {
    throw configurationError([{ place: { file, line, column }, message }])
  }
  if (bytes.length > SIZE_LIMIT) {
    return fail(1, 1, `the file has ${bytes.length} bytes, and at most ${SIZE_LIMIT} are read`)
  }
  const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)
  if (utf16) return fail(1, 1, 'the file is UTF-16; save it as UTF-8')
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '')
  const wrong = isUtf8(bytes) ? /(?![\t\n\r])\p{Cc}/u.exec(text)?.index : text.indexOf('\uFFFD')
  if (wrong === undefined) return text
  const before = text.slice(0, wrong).split('\n')
  const code = text.charCodeAt(wrong).toString(16).padStart(4, '0')
  const message = isUtf8(bytes) ? `the control character U+${code} is not allowed` : 'a byte that is not UTF-8'
  return fail(before.length, (before.at(-1)?.length ?? 0) + 1, message)
}

function checkTokens(file: string, text: string): void {
  // A token has a character, or announces one that has: a text of this length can't hold too many.
  if (text.length * 3 <= TOKEN_LIMIT) return
  let tokens = 0
  for (const _token of new Lexer().lex(text)) {
    tokens += 1
    if (tokens <= TOKEN_LIMIT) continue
    throw configurationError([{ place: { file, line: 1, column: 1 }, message: `more than ${TOKEN_LIMIT} YAML tokens` }])
  }
}

/** Depth, and keys: each a plain name, each once in its mapping. */
function structureProblems(document: Document, placeAt: (offset: number) => Place): readonly PlacedProblem[] {
  const problems: PlacedProblem[] = []
  const report = (node: unknown, message: string) => problems.push({ place: placeAt(startOf(node) ?? 0), message })
  const visit = (node: unknown, depth: number): void => {
    if (problems.length > PROBLEM_LIMIT || !isCollection(node)) return
    if (depth > DEPTH_LIMIT) {
      report(node, `nested more than ${DEPTH_LIMIT} levels deep`)
      return
    }
    const keys = new Map<string, Place>()
    for (const item of node.items) {
      if (!isPair(item)) {
        visit(item, depth + 1)
        continue
      }
      const key = isScalar(item.key) && typeof item.key.value === 'string' ? item.key.value : null
      const first = key === null ? undefined : keys.get(key)
      if (key === null)
        report(item.key ?? item.value ?? node, 'a key has to be a name; put quotes around it if it is one')
      else if (key === '__proto__') report(item.key, 'no key can be called "__proto__"')
      else if (first !== undefined)
        report(item.key, `the key ${JSON.stringify(key)} stands here already, in line ${first.line}`)
      else keys.set(key, placeAt(startOf(item.key) ?? 0))
      visit(item.value, depth + 1)
    }
  }
  visit(document.contents, 1)
  return problems
}

function toJavaScript(file: string, document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: ALIAS_LIMIT })
  } catch (cause) {
    if (!(cause instanceof ReferenceError)) throw cause
    const message = cause.message.startsWith('Excessive')
      ? 'aliases repeat too much'
      : `not valid YAML: ${cause.message}`
    throw configurationError([{ place: { file, line: 1, column: 1 }, message }])
  }
}

function offsetOf(document: Document, path: Path, at: 'key' | 'value'): number {
  const { key, node, parent } = walk(document, path)
  return (at === 'key' ? startOf(key) : startOf(node)) ?? startOf(key) ?? startOf(parent) ?? 0
}

/** Follows a path as far as it goes; what is absent is null, and `parent` is then the last node that is there. */
function walk(
  document: Document,
  path: Path,
): { readonly key: unknown; readonly node: unknown; readonly parent: unknown } {
  let key: unknown = null
  let node: unknown = document.contents
  let parent: unknown = node
  for (const segment of path) {
    if (node !== null) parent = node
    const collection = isAlias(node) ? node.resolve(document) : node
    if (isMap(collection)) {
      const pair = collection.items.find((item) => isScalar(item.key) && item.key.value === segment)
      key = pair?.key ?? null
      node = pair?.value ?? null
    } else {
      key = null
      node = isSeq(collection) && typeof segment === 'number' ? (collection.items[segment] ?? null) : null
    }
  }
  return { key, node, parent }
}

function startOf(node: unknown): number | undefined {
  return (node as Node | null)?.range?.[0]
}
