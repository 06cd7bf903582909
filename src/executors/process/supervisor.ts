/**
 * The two shell texts of a lane. POSIX, and builtins only apart from the step's own shell: dash, bash and busybox sh all run them.
 *
 * RECORDER is the lane's first process: it writes down who it is, then becomes the supervisor (or the `unshare` that holds it).
 * SUPERVISOR runs the orders it reads, one step at a time, until its standard input ends. Standard output speaks to a live engine;
 * what has to outlive the engine is in files (see `step-files.ts`).
 */

/**
 * Arguments: lane folder, isolation, then the command to become. Writes `<pid> <start time> <boot id> <isolation>`.
 * Closes what the engine itself inherited, as far as POSIX lets a shell name it (3 to 9).
 */
export const RECORDER = `
umask 077
exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
read -r stat </proc/$$/stat && read -r boot </proc/sys/kernel/random/boot_id || exit 125
lane=$1 isolation=$2
shift 2
start() {
  shift 19
  start=$1
}
start \${stat##*) }
printf '%s %s %s %s\\n' "$$" "$start" "$boot" "$isolation" >"$lane/process" || exit 125
exec "$@"
`

/**
 * Arguments: attempt folder, isolation, lane folder. Says `ready`, then reads a line `<step> <order file> [<step before>]` at a time and says
 * `ended <step> <code>`. With a step before, the step is armed: it begins if that one was the last and ended with 0, and unless its file `hold-<step>`
 * says no; else the lane says `skipped <step>`. Which of both is written down before it begins.
 *
 * - As process 1 of a namespace the shell is immune to every signal from inside. Elsewhere the traps keep a `kill 0` of a step, or
 *   a closed pipe after the engine died, from ending it; children get the default dispositions back.
 * - The file of ends stays open, for its owner only, and closed to the steps.
 * - A step that failed has an end only where the disk takes one page and one file more: else the failure says nothing about the commit, and it is lost.
 * - The order is read in a subshell and becomes the step's own shell, so nothing it sets can meet a name of ours.
 */
export const SUPERVISOR = `
case $2 in process-group) trap : HUP INT QUIT PIPE TERM USR1 USR2 ;; esac
exec 3>>"$3/ended"
umask 022
printf 'ready\\n'
last=
while read -r index order after; do
  if [ "$after" ]; then
    if [ "$last" != "$after 0" ] || [ -e "$3/hold-$index" ]; then
      printf '%s skipped\\n' "$index" >&3 || exit 125
      printf 'skipped %s\\n' "$index"
      continue
    fi
    printf '%s begun\\n' "$index" >&3 || exit 125
  fi
  ( . "$3/order-$order" ) </dev/null >>"$1/steps/$index.output" 2>&1 3>&-
  code=$?
  if [ "$code" -ne 0 ]; then
    printf '%4096s\\n' '' >&3 || exit 125
    [ ! -d "$3" ] || { : >"$3/room-$index"; } || exit 125
  fi
  printf '%s %s\\n' "$index" "$code" >&3 || exit 125
  printf 'ended %s %s\\n' "$index" "$code"
  last="$index $code"
done
`
