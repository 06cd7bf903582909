/** What `pitlane doctor` finds out about a part of the outside, by trying it. */
export interface Examination {
  /** What was tried, in a few words: `write an object`. */
  readonly what: string
  /** `weak`: it works, and something is less safe or slower than it could be. */
  readonly result: 'good' | 'weak' | 'bad'
  /** What came of it. */
  readonly detail: string
  /** What to do about it; null where nothing has to be done. */
  readonly hint: string | null
}

export interface ExamineOptions {
  /** Reads a key as everybody can, null when it is not there; null where no public address is known. */
  readonly readPublic: ((key: string) => Promise<Buffer | null>) | null
  /** Where a key sends readers there; null where no public address is known. */
  readonly redirectOf: ((key: string) => Promise<string | null>) | null
}

export const good = (what: string, detail: string): Examination => ({ what, result: 'good', detail, hint: null })
export const weak = (what: string, detail: string, hint: string | null): Examination => ({
  what,
  result: 'weak',
  detail,
  hint,
})
export const bad = (what: string, detail: string, hint: string | null): Examination => ({
  what,
  result: 'bad',
  detail,
  hint,
})
