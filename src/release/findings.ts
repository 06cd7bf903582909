import { PitlaneError } from '../errors.ts'

/** What a verification found, line by line. */
export class Findings {
  /** Found right. */
  readonly checks: string[] = []
  /** Found wrong. */
  readonly problems: string[] = []
  /** Not looked at. */
  readonly skipped: string[] = []
  /** No fault, and to be said. */
  readonly remarks: string[] = []

  /** Takes over what was found apart from this. */
  add(other: Findings): void {
    this.checks.push(...other.checks)
    this.problems.push(...other.problems)
    this.skipped.push(...other.skipped)
    this.remarks.push(...other.remarks)
  }

  /** Runs one check: what it throws as a failed verification is a problem, everything else ends the work. */
  async check(line: string, work: () => Promise<void> | void): Promise<boolean> {
    try {
      await work()
      this.checks.push(line)
      return true
    } catch (error) {
      if (!(error instanceof PitlaneError) || error.code !== 'VERIFICATION_FAILED') throw error
      this.problems.push(error.message)
      return false
    }
  }
}

export function wrong(message: string): PitlaneError {
  return new PitlaneError('VERIFICATION_FAILED', message)
}
