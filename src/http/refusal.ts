/** Answers that are none: a status, and why, as `{"message"}` (drone.md, section 5) or as a page. */
export class Refusal extends Error {
  readonly status: number

  constructor(status: 400 | 401 | 403 | 404 | 409, message: string) {
    super(message)
    this.status = status
  }
}

export const notFound = (what: string): Refusal => new Refusal(404, `${what} is not there`)
