/** What takes long, in words; and how often it is worth a line. */
import type { Progress, Report } from '../run/progress.ts'
import { formatBytes, formatDuration } from './amounts.ts'

export type Underway = Extract<Progress, { event: 'progress' }>
export type Waiting = Extract<Progress, { event: 'waiting' }>

const PAST = { sending: 'sent', reading: 'read', packing: 'packed', removing: 'removed' } as const

/**
 * How far it is. What does not fit is left out: its name is shortened, then goes what was there, the estimate, the rate.
 * @param width columns that there are
 * @param wait what it waits for meanwhile, in words
 */
export function progressLine(progress: Underway, width = Infinity, wait: string | null = null): string {
  const { doing, of, rate, left, spared } = progress
  const amount = amountOf(progress)
  const there = doing !== 'sending' || spared < COUNTED ? [] : [`${formatBytes(spared)} were there`]
  const speed = wait !== null || rate === null ? [] : [`${formatBytes(rate)}/s`]
  const estimate = wait !== null || left === null ? [] : [`${bound(progress)} ${estimateOf(left)} left`]
  const rest = wait === null ? [] : [wait]
  for (const parts of [
    [amount, ...there, ...speed, ...estimate, ...rest],
    [amount, ...speed, ...estimate, ...rest],
    [amount, ...speed, ...rest],
    [amount, ...rest],
  ]) {
    const tail = parts.join(', ')
    const head = `  ${doing.padEnd(7)} `
    const room = width - head.length - tail.length - 2
    if (room >= of.length) return `${head}${of}: ${tail}`
    if (room >= SHORTEST) return `${head}${of.slice(0, room - 1).replace(/[\s,]+$/, '')}…: ${tail}`
  }
  return `  ${doing} ${amount}`.slice(0, Math.max(0, width))
}

/** Columns that a shortened name takes at least. */
const SHORTEST = 8

/** The last word of something that had lines of its own. */
export function progressEnd(progress: Underway): string {
  const { doing, of, state, pieces, complete, bytes, moved, spared, rate, elapsed } = progress
  if (state === 'stopped') return `  stopped ${of}: ${amountOf(progress)}`
  const head = `  ${PAST[doing].padEnd(7)} ${of}: `
  if (bytes < COUNTED) return `${head}${complete} of ${pieces} in ${formatDuration(elapsed)}`
  const speed = rate === null ? '' : `, ${formatBytes(rate)}/s`
  const there = doing !== 'sending' || spared === 0 ? '' : `; ${formatBytes(spared)} were there already`
  return `${head}${formatBytes(moved)} in ${formatDuration(elapsed)}${speed}${there}`
}

export function waitingLine({ on, state, for: what, duration }: Waiting): string | null {
  const time = duration === null ? '' : `${formatDuration(duration)} `
  if (on === 'server') return `waiting ${time}for ${what}`
  if (state === 'started') return `waiting for ${what}`
  if (state === 'going') return `still waiting for ${what}: ${time}so far`
  return (duration ?? 0) >= CALM ? `waited ${time}for ${what}` : null
}

/** Fewer bytes than these say nothing of how long it takes. */
const COUNTED = 1024 * 1024

function amountOf({ bytes, moved, spared, pieces, complete }: Underway): string {
  if (bytes < COUNTED) return `${complete} of ${pieces}`
  const through = moved + spared
  const percent = Math.floor((through / bytes) * 100)
  return `${ofBytes(through, bytes)} (${percent} %)`
}

/** In one unit where both have it: `12.0 of 400.0 MiB`. */
function ofBytes(some: number, all: number): string {
  const [part, whole] = [formatBytes(some), formatBytes(all)]
  const [number, unit] = part.split(' ')
  return whole.endsWith(` ${unit}`) ? `${number} of ${whole}` : `${part} of ${whole}`
}

/** Where something was there already, more of it may be. */
function bound({ spared }: Underway): string {
  return spared === 0 ? 'about' : 'at most'
}

function estimateOf(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 5000) * 5
  if (seconds < 90) return `${seconds} s`
  const minutes = Math.ceil(seconds / 60)
  return minutes < 90 ? `${minutes} min` : `${Math.ceil(minutes / 60)} h`
}

/** Milliseconds between two lines about the same thing, where lines stay. */
const CALM = 10_000
const WAITING_CALM = 60_000
/** The same for programs. */
const SECOND = 1000

/** Lets through what is worth a line: the beginning and the end of what takes long, and in between not everything. */
export function calm(between: {
  readonly progress: number
  readonly waiting: number
}): (progress: Progress) => boolean {
  const last = new Map<string, number>()
  return (progress) => {
    if (progress.event !== 'progress' && progress.event !== 'waiting') return true
    const isWait = progress.event === 'waiting'
    if (isWait && progress.on === 'server') return true
    const name = `${progress.event} ${isWait ? progress.for : progress.of}`
    const time = (isWait ? progress.duration : progress.elapsed) ?? 0
    const before = last.get(name)
    if (progress.state === 'done' || progress.state === 'stopped') {
      last.delete(name)
      return before !== undefined
    }
    if (before !== undefined && time - before < between[progress.event]) return false
    last.set(name, time)
    return true
  }
}

export const FOR_PEOPLE = { progress: CALM, waiting: WAITING_CALM }
export const FOR_PROGRAMS = { progress: SECOND, waiting: CALM }

/** A line that is written over again and again, the last one of a terminal. */
export interface StatusLine {
  /** Columns. */
  readonly width: number
  show(text: string): void
  /** Nothing of it stays. */
  hide(): void
}

/** What takes long is shown in the line; everything else is printed above it, as without a terminal. */
export function terminalReport(line: StatusLine, print: Report): Report {
  let underway: Underway | null = null
  const waits = new Map<string, Waiting>()
  /** What a server asked for, and until when, by the time of `underway`. */
  let slowed: { readonly what: string; readonly until: number } | null = null
  const waitWords = (elapsed: number): string | null => {
    const asked = slowed === null ? 0 : slowed.until - elapsed
    if (slowed !== null && asked > 0) return `waiting ${Math.ceil(asked / 1000)} s for ${slowed.what}`
    const [wait] = waits.values()
    return wait === undefined ? null : `waiting for ${wait.for}`
  }
  return (progress) => {
    if (progress.event === 'progress') {
      underway = progress.state === 'going' ? progress : null
      if (underway === null) slowed = null
      if (underway === null) line.hide()
      else line.show(progressLine(underway, line.width, waitWords(underway.elapsed)))
      return
    }
    if (progress.event !== 'waiting') return print(progress)
    if (progress.on === 'server' && underway !== null) {
      slowed = { what: progress.for, until: underway.elapsed + (progress.duration ?? 0) }
      line.show(progressLine(underway, line.width, waitWords(underway.elapsed)))
      return
    }
    if (progress.state === 'going') {
      if (underway === null) line.show(fit(waitingLine(progress) ?? '', line.width))
      return
    }
    if (progress.state === 'started' && progress.on !== 'server') waits.set(progress.for, progress)
    if (progress.state === 'done') waits.delete(progress.for)
    if (underway === null) line.hide()
    if (progress.state === 'started') print(progress)
  }
}

function fit(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`
}
