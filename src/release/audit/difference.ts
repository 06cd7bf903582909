import { PitlaneError } from '../../errors.ts'

/** Something that is not as the documents say. */
export interface Difference {
  readonly place: 'bucket' | 'registry' | 'public'
  /** A key in the bucket; an image, `repository:tag` or `repository@digest`. */
  readonly name: string
  /** What is wrong with it, a sentence without a capital and without an end. */
  readonly problem: string
}

/** What is found wrong is a difference; what could not be looked at ends the work: it is not known then. */
export class Differences {
  readonly #place: Difference['place']
  readonly all: Difference[] = []

  constructor(place: Difference['place']) {
    this.#place = place
  }

  add(name: string, problem: string): void {
    this.all.push({ place: this.#place, name, problem })
  }

  /** Null when the work found something wrong, which is noted under this name. */
  async found<T>(name: string, work: () => Promise<T> | T): Promise<T | null> {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof PitlaneError) || !WRONG.has(error.code)) throw error
      this.#addMessage(name, error.message.replaceAll('\n', ' '))
      return null
    }
  }

  /** Most messages begin with the name, or that of what stands beside it. */
  #addMessage(name: string, message: string): void {
    const [, beside = '', problem = message] = message.startsWith(name)
      ? (/^(\S*?):? (.*)$/.exec(message.slice(name.length)) ?? [])
      : []
    this.add(name + beside, problem)
  }
}

/** A document that a newer Pitlane made can't be held against anything: what else there is still can. */
const WRONG: ReadonlySet<string> = new Set([
  'VERIFICATION_FAILED',
  'CONTRADICTION',
  'PLAN_CONTRADICTION',
  'STATE_NEWER',
])
