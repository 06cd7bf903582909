/** Durations as people write them in the project file: `30s`, `10m`, `2h`. */

/** What a duration looks like; whole numbers of one unit. */
export const DURATION = /^[0-9]{1,6}[smh]$/

/** Times that are counted in days: `90d`. */
export const DAYS = /^[1-9][0-9]{0,4}d$/

const DAY = 24 * 60 * 60 * 1000

/** Milliseconds of a text that matches `DAYS`. */
export function parseDays(text: string): number {
  return Number(text.slice(0, -1)) * DAY
}

/** How long a step may run that says nothing. */
export const DEFAULT_TIMEOUT = '60m'

/** No step runs longer than a day, in milliseconds. */
export const TIMEOUT_LIMIT = 24 * 60 * 60 * 1000

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 }

/** Milliseconds of a text that matches `DURATION`. */
export function parseDuration(text: string): number {
  return Number(text.slice(0, -1)) * (UNITS[text.slice(-1)] ?? Number.NaN)
}

/** The shortest way to write whole seconds: `90s`, `10m`, `2h`. */
export function formatDuration(milliseconds: number): string {
  const unit = ['h', 'm'].find((name) => milliseconds > 0 && milliseconds % (UNITS[name] ?? 1) === 0) ?? 's'
  return `${milliseconds / (UNITS[unit] ?? 1)}${unit}`
}
