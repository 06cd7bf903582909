/**
 * Patterns for tag names: regular expressions that always match the whole text, in time proportional to its length.
 *
 * Patterns come from the project file, and a backtracking engine can be kept busy for years by a short one (`(a+)+b`). So they are
 * run as a set of states walked in step (Thompson 1968), and the syntax is the part of ECMAScript's that this allows:
 * characters, `\.` and other escaped signs, `\d` `\w` and their opposites, `.`, `[a-z]`, `[^…]`, `(…)`, `(?:…)`, `|`, `*` `+` `?` and
 * `{m}` `{m,}` `{m,n}`. There is no `^` and `$`: a pattern is anchored at both ends.
 */

/** Longest pattern, in characters. */
export const PATTERN_LIMIT = 200
const STATE_LIMIT = 4000
const REPEAT_LIMIT = 128

export class PatternError extends Error {
  /** Character of the pattern at which it cannot be understood, from 1. */
  readonly position: number

  constructor(message: string, index: number) {
    super(`${message} at character ${index + 1}`)
    this.position = index + 1
  }
}

type Test = (character: string) => boolean
type Tree =
  | { readonly kind: 'one'; readonly test: Test }
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly Tree[] }
  | { readonly kind: 'repeat'; readonly part: Tree; readonly min: number; readonly max: number }
/** A state without `test` goes on to every state of `next` at once; the accepting one has none. */
interface State {
  readonly test: Test | null
  next: readonly State[]
}

/**
 * Compiles a pattern to a function that says whether it matches a whole text.
 * @throws PatternError
 */
export function compilePattern(pattern: string): (text: string) => boolean {
  if (pattern.length > PATTERN_LIMIT)
    throw new PatternError(`a pattern has at most ${PATTERN_LIMIT} characters`, PATTERN_LIMIT)
  const tree = new Reader(pattern).whole()
  let states = 0
  const state = (test: Test | null, next: readonly State[]): State => {
    states += 1
    if (states > STATE_LIMIT) throw new PatternError('the repetitions are too large together', pattern.length - 1)
    return { test, next }
  }
  const accept = state(null, [])
  const start = link(tree, accept, state)
  return (text) => {
    let current = closure([start])
    for (const character of text) {
      if (current.size === 0) return false
      current = closure([...current].flatMap(({ test, next }) => (test?.(character) ? next : [])))
    }
    return current.has(accept)
  }
}

/** The states from which `tree` and then `after` is matched. */
function link(tree: Tree, after: State, state: (test: Test | null, next: readonly State[]) => State): State {
  switch (tree.kind) {
    case 'one':
      return state(tree.test, [after])
    case 'sequence':
      return tree.parts.reduceRight((next, part) => link(part, next, state), after)
    case 'choice':
      return state(
        null,
        tree.parts.map((part) => link(part, after, state)),
      )
    case 'repeat': {
      let entry = after
      if (tree.max === Number.POSITIVE_INFINITY) {
        const loop = state(null, [])
        loop.next = [link(tree.part, loop, state), after]
        entry = loop
      } else {
        for (let count = tree.min; count < tree.max; count += 1)
          entry = state(null, [link(tree.part, entry, state), after])
      }
      for (let count = 0; count < tree.min; count += 1) entry = link(tree.part, entry, state)
      return entry
    }
  }
}

function closure(states: readonly State[]): Set<State> {
  const reached = new Set<State>(states)
  for (const { test, next } of reached) {
    // A set that is walked also visits what is added on the way.
    if (test === null) for (const state of next) reached.add(state)
  }
  return reached
}

/** Recursive descent over the pattern; its depth is bounded by `PATTERN_LIMIT`. */
class Reader {
  readonly #pattern: string
  #at = 0

  constructor(pattern: string) {
    this.#pattern = pattern
  }

  whole(): Tree {
    const tree = this.#choice()
    if (this.#at < this.#pattern.length) throw this.#error('")" without "("')
    return tree
  }

  #choice(): Tree {
    const parts = [this.#sequence()]
    while (this.#take('|')) parts.push(this.#sequence())
    return { kind: 'choice', parts }
  }

  #sequence(): Tree {
    const parts: Tree[] = []
    while (this.#at < this.#pattern.length && !'|)'.includes(this.#peek())) parts.push(this.#repeated())
    return { kind: 'sequence', parts }
  }

  #repeated(): Tree {
    const part = this.#atom()
    let tree: Tree = part
    if (this.#take('*')) tree = { kind: 'repeat', part, min: 0, max: Number.POSITIVE_INFINITY }
    else if (this.#take('+')) tree = { kind: 'repeat', part, min: 1, max: Number.POSITIVE_INFINITY }
    else if (this.#take('?')) tree = { kind: 'repeat', part, min: 0, max: 1 }
    else if (this.#peek() === '{') tree = this.#counted(part)
    if ('*+?{'.includes(this.#peek() || ' ')) throw this.#error(`nothing to repeat before "${this.#peek()}"`)
    return tree
  }

  #counted(part: Tree): Tree {
    const match = /^\{([0-9]{1,9})(?:(,)([0-9]{0,9}))?\}/.exec(this.#pattern.slice(this.#at))
    if (match === null) throw this.#error('"{" needs a count, as in {3}, {1,} or {1,4} (a plain one is written "\\{")')
    const [text, from = '', comma, to = ''] = match
    const min = Number(from)
    const max = comma === undefined ? min : to === '' ? Number.POSITIVE_INFINITY : Number(to)
    if (min > REPEAT_LIMIT || (max !== Number.POSITIVE_INFINITY && max > REPEAT_LIMIT)) {
      throw this.#error(`a repetition above ${REPEAT_LIMIT}`)
    }
    if (max < min) throw this.#error('the counts of a repetition are in the wrong order')
    this.#at += text.length
    return { kind: 'repeat', part, min, max }
  }

  #atom(): Tree {
    const character = this.#peek()
    if ('*+?{'.includes(character)) throw this.#error(`nothing to repeat before "${character}"`)
    if ('^$'.includes(character))
      throw this.#error(`"${character}" is not needed: a pattern always matches the whole name`)
    if (this.#take('(')) return this.#group()
    if (this.#take('[')) return { kind: 'one', test: this.#characterClass() }
    if (this.#take('.')) return { kind: 'one', test: () => true }
    return { kind: 'one', test: this.#single() }
  }

  #group(): Tree {
    const open = this.#at - 1
    if (this.#take('?') && !this.#take(':')) throw this.#error('only (…) and (?:…) are groups')
    const tree = this.#choice()
    if (!this.#take(')')) throw new PatternError('"(" is never closed', open)
    return tree
  }

  #characterClass(): Test {
    const open = this.#at - 1
    const negated = this.#take('^')
    const tests: Test[] = []
    while (this.#peek() !== ']') {
      if (this.#at >= this.#pattern.length) throw new PatternError('"[" is never closed', open)
      const start = this.#at
      const from = this.#literal()
      if (typeof from === 'string' && this.#peek() === '-' && this.#pattern[this.#at + 1] !== ']') {
        this.#at += 1
        const to = this.#at < this.#pattern.length ? this.#literal() : null
        if (typeof to !== 'string' || to < from)
          throw new PatternError('the range is not from a lower to a higher character', start)
        tests.push((character) => character >= from && character <= to)
      } else tests.push(typeof from === 'string' ? (character) => character === from : from)
    }
    this.#at += 1
    return (character) => tests.some((test) => test(character)) !== negated
  }

  #single(): Test {
    const literal = this.#literal()
    return typeof literal === 'string' ? (character) => character === literal : literal
  }

  /** A plain or escaped character, or the test of `\d`, `\D`, `\w`, `\W`. */
  #literal(): string | Test {
    const escape = this.#take('\\')
    const character = this.#peek()
    if (character === '') throw new PatternError('"\\" at the end', this.#at - 1)
    if (escape && /[A-Za-z0-9]/.test(character)) {
      const known = { d: /[0-9]/, D: /[^0-9]/, w: /\w/, W: /\W/ }[character]
      if (known === undefined) throw this.#error(`"\\${character}" has no meaning here`)
      this.#at += 1
      return (tested) => known.test(tested)
    }
    this.#at += 1
    return character
  }

  #peek(): string {
    return this.#pattern[this.#at] ?? ''
  }

  #take(character: string): boolean {
    if (this.#peek() !== character) return false
    this.#at += 1
    return true
  }

  #error(message: string): PatternError {
    return new PatternError(message, this.#at)
  }
}
