import { proposeCompletions } from '@stricli/core'
import { buildApp } from '../app.ts'
import type { Context } from '../context.ts'

const SCRIPTS = {
  bash: `_pitlane() {
  local IFS=$'\\n'
  COMPREPLY=($(pitlane complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _pitlane pitlane
`,
  zsh: `#compdef pitlane
_pitlane() {
  local -a found
  found=("\${(@f)$(pitlane complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -- \${found:#}
}
compdef _pitlane pitlane
`,
  fish: `complete -c pitlane -f -a '(pitlane complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
`,
} as const

export function completion(this: Context, _flags: object, shell: 'bash' | 'zsh' | 'fish'): void {
  this.process.stdout.write(SCRIPTS[shell])
}

export async function complete(this: Context, _flags: object, ...words: string[]): Promise<void> {
  const found = await proposeCompletions(buildApp(this.pitlaneVersion), words, this)
  // `--` ends the flags: right everywhere and never what somebody wants proposed.
  for (const { completion: text } of found) if (text !== '--') this.process.stdout.write(`${text}\n`)
}
