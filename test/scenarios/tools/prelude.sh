# Read before every command of a scenario.

# commit MESSAGE: all of the working tree.
commit() {
  git add --all && git commit --quiet --message "$1"
}

# edit FILE SED-SCRIPT
edit() {
  sed -i -e "$2" "$1"
}

# flip FILE [OFFSET]: one byte becomes another, by default in the middle.
flip() {
  node "$SCENARIO_TOOLS/flip.ts" "$@"
}

# elf NAME FILE: a made-up executable, see elf.ts.
elf() {
  node "$SCENARIO_TOOLS/elf.ts" "$@"
}

# serve [fault PATH STATUS|break|hang|pause]... -- COMMAND: the bucket behind http, its address in $ADDRESS, while the command runs.
serve() {
  node "$SCENARIO_TOOLS/serve.ts" "$@"
}

# memory COMMAND...: says afterwards whether the peak of its process stayed below 200 MiB.
memory() {
  node "$SCENARIO_TOOLS/memory.ts" "$@"
}
