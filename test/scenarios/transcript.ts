/**
 * A scenario is a transcript: commands, and exactly what they print.
 *
 * ```
 * What this is about.
 * world: small
 *
 * $ pitlane release v9
 *   a line of standard output
 * ! a line of standard error
 * = 2
 * ```
 * A command goes on in lines that begin with `> `. `= CODE` stands for every exit code but 0. Text before the first command is for people,
 * apart from `world: NAME` (see `worlds.ts`) and `needs: THING` (what the machine must offer; else the scenario is skipped).
 */
export interface Transcript {
  readonly preface: string
  readonly world: string
  readonly needs: readonly string[]
  readonly commands: readonly Command[]
}

export interface Command {
  /** Shell text. */
  readonly text: string
  /** Free text that stands above the command. */
  readonly remark: string
}

export interface Outcome {
  readonly stdout: string
  readonly stderr: string
  readonly code: number
}

export function parseTranscript(source: string): Transcript {
  const lines = source.split('\n')
  const command = lines.findIndex((line) => line.startsWith('$ '))
  // A remark right above the first command belongs to it.
  let first = command
  while (lines[first - 1]?.startsWith('# ') === true) first -= 1
  const preface = lines.slice(0, first === -1 ? lines.length : first).join('\n')
  const commands: { text: string; remark: string }[] = []
  let remark = ''
  for (const line of first === -1 ? [] : lines.slice(first)) {
    if (line.startsWith('$ ')) {
      commands.push({ text: line.slice(2), remark })
      remark = ''
    } else if (line.startsWith('> ') || line === '>') {
      const last = commands.at(-1)
      if (last !== undefined) last.text += `\n${line.slice(2)}`
    } else if (line.startsWith('# ')) remark += `${line}\n`
  }
  const needs = [...preface.matchAll(/^needs: (.+)$/gm)].map((match) => match[1] ?? '')
  return { preface, world: /^world: (.+)$/m.exec(preface)?.[1] ?? 'small', needs, commands }
}

export function formatTranscript({ preface, commands }: Transcript, outcomes: readonly Outcome[]): string {
  const parts = commands.map(({ text, remark }, index) => {
    const outcome = outcomes[index]
    const command = `$ ${text.split('\n').join('\n> ')}`
    if (outcome === undefined) return `${remark}${command}`
    const code = outcome.code === 0 ? [] : [`= ${outcome.code}`]
    const printed = [...marked(outcome.stdout, '  '), ...marked(outcome.stderr, '! '), ...code]
    return `${remark}${[command, ...printed].join('\n')}`
  })
  return `${preface.trimEnd()}\n\n${parts.join('\n\n')}\n`
}

/** A text that does not end in a newline gets a mark that says so. */
function marked(text: string, mark: string): string[] {
  if (text === '') return []
  const whole = text.endsWith('\n')
  return (whole ? text.slice(0, -1) : `${text}⏎̸`).split('\n').map((line) => `${mark}${line}`.trimEnd())
}
