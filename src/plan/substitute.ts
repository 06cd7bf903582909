/** Variables in paths of the project file: `$NAME` and `${NAME}`; `$$` is a plain `$`. */
import { suggestion } from '../words/nearest.ts'

export type Substituted =
  | { readonly kind: 'text'; readonly text: string }
  /** `problem` is a sentence for the person, without the file's place. */
  | { readonly kind: 'unknown'; readonly problem: string }

/** Replaces every variable by its value; values are not looked into again. */
export function substitute(text: string, values: Readonly<Record<string, string>>): Substituted {
  const problems: string[] = []
  const known = Object.keys(values)
  const result = text.replaceAll(
    /\$(?:(\$)|([A-Za-z_][A-Za-z0-9_]*)|\{([^}]*)\}|)/g,
    (match, dollar, plain, braced) => {
      if (dollar !== undefined) return '$'
      const name: string | undefined = plain ?? braced
      if (name === undefined) {
        problems.push('"$" is followed by no name (a plain "$" is written "$$")')
        return match
      }
      const value = Object.hasOwn(values, name) ? values[name] : undefined
      if (value === undefined)
        problems.push(`there is no variable ${JSON.stringify(match)}: ${suggestion(name, known)}`)
      return value ?? match
    },
  )
  const [problem] = problems
  return problem === undefined ? { kind: 'text', text: result } : { kind: 'unknown', problem }
}
