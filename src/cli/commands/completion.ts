import { proposeCompletions } from '@stricli/core'
import { buildApp } from '../app.ts'
import type { Context } from '../context.ts'
import { FILES } from '../parameters.ts'

/** What `complete` prints in place of proposals where the shell itself knows better. Git allows no colon in a name. */
const ASK_FOR_FILES = ':files'

const SCRIPTS = {
  bash: `_pitlane() {
  local word=\${COMP_WORDS[COMP_CWORD]}
  mapfile -t COMPREPLY < <(pitlane complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  [[ \${COMPREPLY[0]} == ${ASK_FOR_FILES} ]] || return 0
  mapfile -t COMPREPLY < <(compgen -f -- "\${word#=}")
  compopt -o filenames 2>/dev/null
}
complete -o nosort -F _pitlane pitlane 2>/dev/null || complete -F _pitlane pitlane
`,
  zsh: `#compdef pitlane
_pitlane() {
  local -a found
  found=("\${(@f)$(pitlane complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ $found[1] == ${ASK_FOR_FILES} ]]; then _files; else compadd -V pitlane -- \${found:#}; fi
}
compdef _pitlane pitlane
`,
  fish: `function __pitlane_complete
  set -l found (pitlane complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)
  if test "$found[1]" = ${ASK_FOR_FILES}
    __fish_complete_path (commandline -ct)
  else if test (count $found) -gt 0
    printf '%s\\n' $found
  end
end
complete -c pitlane -f -k -a '(__pitlane_complete)'
`,
} as const

export function completion(this: Context, _flags: object, shell: 'bash' | 'zsh' | 'fish'): void {
  this.process.stdout.write(SCRIPTS[shell])
}

export async function complete(this: Context, _flags: object, ...words: string[]): Promise<void> {
  const found = await proposeCompletions(buildApp(this.pitlaneVersion), withoutEquals(words), this)
  const isFlag = (text: string) => text.startsWith('-')
  // Flags are proposed to whoever begins one, or where there is nothing else.
  const asksForFlags = isFlag(words.at(-1) ?? '') || found.every(({ completion: text }) => isFlag(text))
  for (const { completion: text } of found) {
    if (text.endsWith(FILES)) return void this.process.stdout.write(`${ASK_FOR_FILES}\n`)
    // `--` ends the flags: right everywhere and never what somebody wants proposed.
    if (text !== '--' && (asksForFlags || !isFlag(text))) this.process.stdout.write(`${text}\n`)
  }
}

/** Bash makes three words of `--from=value`. */
function withoutEquals(words: readonly string[]): readonly string[] {
  return words.flatMap((word, at) => {
    const isSign = word === '=' && (words[at - 1] ?? '').startsWith('--')
    if (!isSign) return [word]
    return at === words.length - 1 ? [''] : []
  })
}
