/** The program that a release test is given in the place of a binary that only an emulator runs, and what it has written down. Pure. */
import { shellWord } from '../words/shell-word.ts'

export interface Emulation {
  /** The emulator with its arguments, and the binary. */
  readonly command: readonly string[]
  /** File in which the wrapper notes that it was started. */
  readonly mark: string
}

/** What a shell reports of a program that SIGILL ended (128 + 4), and an emulated one, too. */
const ILLEGAL_INSTRUCTION = 132
/** Those that somebody sends to a program to tell it something. */
const FORWARDED = 'HUP INT QUIT TERM USR1 USR2'

/** Shell text. The binary takes the wrapper's place, so that signals and exit status are its own. */
export function wrapperText({ command, mark }: Emulation): string {
  return `#!/bin/sh\necho begun >>${shellWord(mark)}\nexec ${words(command)} "$@"\n`
}

/**
 * The same, and how it ended is noted: for a binary of which only a run tells what it is. The wrapper stays, and hands signals on. Its standard
 * input is handed on by another descriptor, as what runs in the background gets none.
 */
export function witnessText({ command, mark }: Emulation): string {
  const note = `>>${shellWord(mark)}`
  return `#!/bin/sh
echo begun ${note}
exec 3<&0
${words(command)} "$@" <&3 3<&- &
child=$!
for signal in ${FORWARDED}; do trap "kill -s $signal $child" $signal; done
wait $child
code=$?
while kill -0 $child 2>/dev/null; do
  wait $child
  code=$?
done
echo "ended $code" ${note}
exit $code
`
}

function words(command: readonly string[]): string {
  return command.map(shellWord).join(' ')
}

/** What the notes say; `mark` is null where there are none. A process that was killed with its wrapper has begun, and has no end. */
export function readMark(mark: string | null): 'not-run' | 'ran' | 'illegal-instruction' {
  if (mark === null) return 'not-run'
  return new RegExp(`^ended ${ILLEGAL_INSTRUCTION}$`, 'm').test(mark) ? 'illegal-instruction' : 'ran'
}
