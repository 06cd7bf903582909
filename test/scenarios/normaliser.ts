/** What differs from run to run, replaced: the same thing gets the same name all through one scenario, another thing another name. */
export class Normaliser {
  readonly #names = new Map<string, string>()
  readonly #counts = new Map<string, number>()
  readonly #paths: readonly (readonly [path: string, name: string])[]

  constructor(paths: readonly (readonly [path: string, name: string])[]) {
    this.#paths = paths
  }

  clean(text: string): string {
    let result = text
    for (const [path, name] of this.#paths) result = result.replaceAll(path, name)
    return (
      result
        .replaceAll(/plan-[0-9a-f]{32}(?![0-9a-f])/g, (id) => this.#name('plan', id))
        .replaceAll(/(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/g, (digest) => this.#name('sha256', digest.slice(0, 12)))
        .replaceAll(
          /(?<![0-9a-f])([0-9a-f]{16})…/g,
          (_, start: string) => `${this.#name('sha256', start.slice(0, 12))}…`,
        )
        .replaceAll(/(?<=sha256 )[0-9a-f]{12}(?![0-9a-f])/g, (start) => this.#name('sha256', start))
        .replaceAll(/(?<![0-9a-f])[0-9a-f]{40}(?![0-9a-f])/g, (id) => this.#name('commit', id.slice(0, 12)))
        .replaceAll(/(?<![0-9a-f])(?=[0-9a-f]*[0-9])[0-9a-f]{12}(?![0-9a-f])/g, (id) => this.#name('commit', id, '…'))
        .replaceAll(/MCowBQYDK2VwAyEA[A-Za-z0-9+/]{43}=/g, (key) => this.#name('PEM key', key))
        .replaceAll(/RW[A-Za-z0-9+/]{54}/g, (key) => this.#name('public key', key))
        // Written without leading zeros.
        .replaceAll(/(?<![0-9A-Za-z])[0-9A-F]{14,16}(?![0-9A-Za-z])/g, (id) => this.#name('key', id))
        .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '<time>')
        .replaceAll(/\b\d{1,2} [A-Z][a-z]+ \d{4}\b/g, '<date>')
        .replaceAll(/^( {2}(?:ok|FAILED|stopped) +\S+) {2}(?:\d+ ms|[\d.]+ s|\d+ min \d+ s)/gm, '$1  <duration>')
        .replaceAll(/"duration":\d+/g, '"duration":<duration>')
        .replaceAll(/\(process \d+,/g, '(process <pid>,')
        .replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:<port>')
        // Right behind a name that has no length of its own, columns say nothing.
        .replaceAll(/(<(?:commit|plan|sha256|time)[^>]*>) {3,}/g, '$1  ')
    )
  }

  #name(kind: string, value: string, mark = ''): string {
    const known = this.#names.get(`${kind} ${value}`)
    if (known !== undefined) return known.replace('>', `${mark}>`)
    const number = (this.#counts.get(kind) ?? 0) + 1
    this.#counts.set(kind, number)
    const name = `<${kind} ${number}>`
    this.#names.set(`${kind} ${value}`, name)
    return name.replace('>', `${mark}>`)
  }
}
