/** Puts what zod found into words for people: what was expected, what is there, and the nearest valid name. */
import { z } from 'zod'
import { nearest, suggestion } from '../../../words/nearest.ts'
import { shown } from '../../version-name.ts'
import type { Path, Problem } from './problems.ts'
import type { YamlFile } from './read-yaml.ts'

type Issue = z.core.$ZodIssue

const TYPES: Readonly<Record<string, string>> = {
  string: 'a text',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping of keys to values',
  int: 'a whole number',
  record: 'a mapping of names to values',
}

/** One or more problems for each issue; `schema` is the one that was parsed with, for the keys it knows. */
export function explain(issue: Issue, schema: z.ZodType, file: YamlFile, prefix: Path = []): readonly Problem[] {
  const path: Path = [...prefix, ...issue.path.filter((segment) => typeof segment !== 'symbol')]
  const one = (message: string, at: 'key' | 'value' = 'value'): readonly Problem[] => [{ path, at, message }]
  const value = valueAt(file.value, path)
  const last = path.at(-1)
  if (value === undefined && issue.code !== 'unrecognized_keys') {
    // A misspelt key is told as unknown, and not a second time as missing.
    return isMisspelt(path, schema, file) ? [] : one(`the key ${shown(String(last))} is missing`, 'key')
  }
  const found = describeFound(value, file.written(path))
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = knownKeys(schema, path)
      return issue.keys.slice(0, 100).map((key) => ({
        path: [...path, key],
        at: 'key' as const,
        message: `unknown key ${shown(key)}${path.length > 0 ? ` in ${pathText(path)}` : ''}: ${suggestion(key, known)}`,
      }))
    }
    case 'invalid_union':
      return (
        explainUnion(issue, schema, file, path) ?? one(`${pathText(path)}: expected ${issue.message}, found ${found}`)
      )
    case 'invalid_key':
      return one(`the name ${shown(String(last))}: expected ${issue.issues[0]?.message ?? 'another name'}`, 'key')
    case 'invalid_value':
      return one(`${pathText(path)}: ${unknownValue(value, found, issue.values.map(String))}`)
    case 'invalid_type': {
      if (!issue.message.startsWith('Invalid input'))
        return one(`${pathText(path)}: expected ${issue.message}, found ${found}`)
      const quotes = issue.expected === 'string' && (typeof value === 'number' || typeof value === 'boolean')
      const hint = quotes ? `; put quotes around it: '${file.written(path) ?? String(value)}'` : ''
      return one(`${pathText(path)}: expected ${TYPES[issue.expected] ?? issue.expected}, found ${found}${hint}`)
    }
    case 'too_small':
      return one(`${pathText(path)}: expected at least ${issue.minimum}${sized(value, issue.minimum)}, found ${found}`)
    case 'too_big':
      return one(
        `${pathText(path)}: expected at most ${issue.maximum}${sized(value, issue.maximum)}, found ${lengthOf(value)}`,
      )
    case 'invalid_format':
    case 'invalid_element':
    case 'not_multiple_of':
    case 'custom':
      return one(`${pathText(path)}: expected ${issue.message}, found ${found}`)
  }
}

/** When one alternative fits the shape and fails deeper down, its problems are the useful ones. */
function explainUnion(issue: z.core.$ZodIssueInvalidUnion, schema: z.ZodType, file: YamlFile, path: Path) {
  const deeper = issue.errors.find((branch) =>
    branch.some((inner) => inner.path.length > 0 || inner.code === 'too_small'),
  )
  return deeper?.flatMap((inner) => explain(inner, schema, file, path))
}

function unknownValue(value: unknown, found: string, allowed: readonly string[]): string {
  if (typeof value !== 'string') return `expected ${allowed.join(' or ')}, found ${found}`
  return `unknown value ${found}: ${suggestion(value, allowed)}`
}

/** `release.build.run`, `checks[2].after[0]`. */
export function pathText(path: Path): string {
  const text = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`)).join('')
  return text === '' ? 'the file' : text.replace(/^\./, '').slice(0, 200)
}

function describeFound(value: unknown, written: string | null): string {
  if (value === null) return 'nothing'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value === 'object') return 'a mapping'
  if (typeof value === 'string') return value === '' ? 'an empty text' : shown(value)
  return `the ${typeof value} ${written ?? JSON.stringify(value)}`
}

function sized(value: unknown, count: number | bigint): string {
  if (typeof value === 'number') return ''
  if (Array.isArray(value)) return Number(count) === 1 ? ' entry' : ' entries'
  return ' characters'
}

function lengthOf(value: unknown): string {
  if (typeof value === 'number') return String(value)
  return Array.isArray(value) || typeof value === 'string' ? String(value.length) : 'more'
}

function valueAt(value: unknown, path: Path): unknown {
  let at = value
  for (const segment of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, segment)) return undefined
    at = (at as Record<string | number, unknown>)[segment]
  }
  return at
}

function isMisspelt(missing: Path, schema: z.ZodType, file: YamlFile): boolean {
  const parent = missing.slice(0, -1)
  const known = knownKeys(schema, parent)
  const keys = Object.keys(valueAt(file.value, parent) ?? {}).slice(0, 100)
  return keys.some((key) => !known.includes(key) && nearest(key, known) === missing.at(-1))
}

/** The keys of the mapping at a path, from the schema. */
function knownKeys(schema: z.core.$ZodType, path: Path): readonly string[] {
  let at: z.core.$ZodType | undefined = bare(schema)
  for (const segment of path) {
    if (at instanceof z.ZodObject) at = (at.shape as Record<string, z.core.$ZodType>)[segment] ?? at.def.catchall
    else if (at instanceof z.ZodArray) at = at.element
    else if (at instanceof z.ZodRecord) at = at.valueType
    at = at && bare(at)
  }
  return at instanceof z.ZodObject ? Object.keys(at.shape) : []
}

function bare(schema: z.core.$ZodType): z.core.$ZodType {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodDefault ? bare(schema.unwrap()) : schema
}
