/** What tests with faults have in common: a clock on which waiting is short, and all that an error would tell. */
import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { type Clock, systemClock } from '../../src/clock.ts'

/** The real clock, but for sleeping: that takes a hundredth, and is remembered in milliseconds as asked for. */
export function hurried(): Clock & { readonly slept: number[]; readonly haste: number } {
  const slept: number[] = []
  const haste = 100
  return {
    ...systemClock,
    monotonic: () => systemClock.monotonic() * haste,
    slept,
    haste,
    sleep(milliseconds, signal) {
      slept.push(milliseconds)
      return systemClock.sleep(milliseconds / haste, signal)
    },
  }
}

/** An error with its causes and whatever hangs on them, as a log would show it at its worst. */
export function said(error: unknown): string {
  return inspect(error, { depth: 12, showHidden: true, maxStringLength: null, maxArrayLength: null })
}

export function holdsNone(text: string, secrets: readonly string[]): void {
  for (const secret of secrets) {
    const at = text.indexOf(secret)
    assert.equal(at, -1, `${secret} in …${text.slice(Math.max(0, at - 300), at + 50)}`)
  }
}
