// memory COMMAND...: runs it, and says on standard error whether its own process stayed below 200 MiB.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'

const LIMIT = 200 * 1024
const [command = '', ...args] = process.argv.slice(2)
const child = spawn(command, args, { stdio: 'inherit' })
let peak = 0
const timer = setInterval(() => {
  try {
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
    peak = Math.max(peak, Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0))
  } catch {
    // It has just ended.
  }
}, 20)
child.on('exit', (code) => {
  clearInterval(timer)
  const words = peak === 0 ? 'unknown' : peak < LIMIT ? 'below 200 MiB' : `${Math.round(peak / 1024)} MiB`
  console.error(`peak memory of the process: ${words}`)
  process.exitCode = code ?? 255
})
