import { PitlaneError } from '../../errors.ts'

/** What was not looked at, and what to do so that it is. */
export interface Skipped {
  readonly kind: 'image' | 'pages'
  readonly what: string
  readonly remedy: string
}

/** What a verification found, line by line. */
export class Findings {
  /** Found right. */
  readonly checks: string[] = []
  /** Found wrong. */
  readonly problems: string[] = []
  /** Not looked at. */
  readonly skipped: Skipped[] = []
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
    const isRight = (await this.attempt(work)) !== null
    if (isRight) this.checks.push(line)
    return isRight
  }

  /** The same for what a check needs: nothing is said of it when it is there. Null when it is wrong. */
  async attempt<T>(work: () => Promise<T> | T): Promise<{ readonly value: T } | null> {
    try {
      return { value: await work() }
    } catch (error) {
      if (!(error instanceof PitlaneError) || error.code !== 'VERIFICATION_FAILED') throw error
      this.problems.push(error.message)
      return null
    }
  }
}

export function wrong(message: string): PitlaneError {
  return new PitlaneError('VERIFICATION_FAILED', message)
}
