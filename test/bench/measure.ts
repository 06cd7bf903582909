// Measuring in pairs: ours and the peer's, one right after the other, so that what else the machine does falls on both.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The built command line. */
export const PITLANE = fileURLToPath(new URL('../../bin/pitlane.js', import.meta.url))

export interface Comparison {
  readonly what: string
  /** One measurement, in milliseconds. */
  readonly ours: () => Promise<number>
  readonly peer?: () => Promise<number>
  /** What the figure is: `ratio` (ours ÷ peer, the default), `difference` (ours − peer, ms) or `time` (ours, ms). */
  readonly figure?: 'ratio' | 'difference' | 'time'
  /** The figure is to be at most this. Without one it is only told. */
  readonly bound?: number
}

/** Takes so many interleaved pairs of every comparison after one that warms up, and prints a row for each. */
export async function compare(comparisons: readonly Comparison[], pairs: number): Promise<void> {
  const taken = comparisons.map(() => ({ ours: [] as number[], peer: [] as number[] }))
  for (let round = 0; round <= pairs; round++) {
    for (const [index, { ours, peer }] of comparisons.entries()) {
      const pair = { ours: await ours(), peer: peer === undefined ? Number.NaN : await peer() }
      if (round === 0) continue
      taken[index]?.ours.push(pair.ours)
      taken[index]?.peer.push(pair.peer)
    }
  }
  const rows = comparisons.map((comparison, index) => row(comparison, taken[index] ?? { ours: [], peer: [] }))
  table(
    [['what', 'ours', 'peer', 'figure', 'min', 'median', 'max', 'bound', ''], ...rows],
    `median milliseconds of ${pairs} interleaved pairs; the figure with its least, middle and greatest value`,
  )
}

function row(comparison: Comparison, taken: { ours: readonly number[]; peer: readonly number[] }): string[] {
  const { what, bound, figure = 'ratio' } = comparison
  const figures = taken.ours.map((ours, index) => {
    const peer = taken.peer[index] ?? Number.NaN
    return figure === 'ratio' ? ours / peer : figure === 'difference' ? ours - peer : ours
  })
  const show = (value: number) => (figure === 'ratio' ? `${value.toFixed(2)}×` : `${value.toFixed(1)} ms`)
  const middle = median(figures)
  return [
    what,
    milliseconds(median(taken.ours)),
    comparison.peer === undefined ? '-' : milliseconds(median(taken.peer)),
    { ratio: 'ours ÷ peer', difference: 'ours − peer', time: 'ours' }[figure],
    show(Math.min(...figures)),
    show(middle),
    show(Math.max(...figures)),
    bound === undefined ? '-' : `≤ ${figure === 'ratio' ? `${bound}×` : `${bound} ms`}`,
    bound === undefined ? '' : middle <= bound ? 'met' : 'MISSED',
  ]
}

function milliseconds(value: number): string {
  return value.toFixed(value < 10 ? 2 : 1)
}

/** Columns as wide as their widest cell; the first to the left, the others to the right. */
export function table(rows: readonly (readonly string[])[], caption: string): void {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)))
  for (const cells of rows) {
    console.log(
      cells
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
  }
  console.log(`(${caption})`)
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const half = Math.floor(sorted.length / 2)
  const upper = sorted[half] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[half - 1] ?? Number.NaN)) / 2
}

export interface Place {
  readonly cwd?: string
  readonly env?: Record<string, string>
}

/** Wall time of a whole process, from before it is made until it has ended. Throws when it failed. */
export async function wholeProcess(command: string, args: readonly string[], place: Place = {}): Promise<number> {
  const since = performance.now()
  const child = spawn(command, args, { ...place, stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (piece) => (said = `${said}${String(piece)}`.slice(-2000)))
  const closed = once(child, 'close')
  const [code] = (await once(child, 'exit')) as [number | null]
  const took = performance.now() - since
  await closed
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}: ${said}`)
  return took
}

export const pitlane = (args: readonly string[], place: Place): Promise<number> =>
  wholeProcess(process.execPath, [PITLANE, ...args], place)

/** Peak resident memory of a process until now, in MiB (VmHWM, proc_pid_status(5)); null when it is gone. */
export function peakMemory(pid: number): number | null {
  try {
    const match = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))
    return match === null ? null : Number(match[1]) / 1024
  } catch {
    return null
  }
}
