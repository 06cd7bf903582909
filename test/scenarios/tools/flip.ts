// flip FILE [OFFSET]: one byte becomes another.
import { readFileSync, writeFileSync } from 'node:fs'

const [file = '', offset] = process.argv.slice(2)
const bytes = readFileSync(file)
const at = offset === undefined ? bytes.length >> 1 : Number(offset)
bytes[at] = (bytes[at] ?? 0) ^ 1
writeFileSync(file, bytes)
