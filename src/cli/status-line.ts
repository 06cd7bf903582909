/** The last line of a terminal, written over until something else is printed. */
import { oneLine } from './output.ts'
import type { StatusLine } from './progress-text.ts'

/** What of a process it takes. */
export interface TerminalProcess {
  readonly stdout: Terminal
  readonly stderr: Terminal
  readonly env: Readonly<Record<string, string | undefined>>
  readonly pid: number
  on(event: NodeJS.Signals | 'exit', listener: () => void): unknown
  off(event: NodeJS.Signals | 'exit', listener: () => void): unknown
  listenerCount(event: NodeJS.Signals): number
  kill(pid: number, signal: NodeJS.Signals): unknown
}

interface Terminal {
  readonly isTTY?: boolean
  readonly columns?: number
  write: (...args: never[]) => boolean
}

const DEFAULT_WIDTH = 80
/** End a process that says nothing of them. */
const ENDING: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

/**
 * Null where there is no terminal, or one that can't do it. Colours are not used: `NO_COLOR` changes nothing. A build server that offers
 * a terminal keeps all that is written to it.
 */
export function statusLine(process: TerminalProcess): StatusLine | null {
  const { stdout, env } = process
  if (stdout.isTTY !== true || env['TERM'] === 'dumb' || (env['CI'] ?? '') !== '') return null
  return new Line(process)
}

class Line implements StatusLine {
  readonly #process: TerminalProcess
  /** Null: nothing of it is there. */
  #shown: { readonly text: string; readonly restore: () => void } | null = null

  constructor(process: TerminalProcess) {
    this.#process = process
  }

  get width(): number {
    // One column less: what reaches the last one is wrapped by some terminals.
    return Math.max(1, (this.#process.stdout.columns || DEFAULT_WIDTH) - 1)
  }

  show(given: string): void {
    const text = oneLineKept(given)
    if (this.#shown?.text === text) return
    // In one write, or it would flicker.
    write(this.#process.stdout, `${this.#take()}${text}`)
    this.#shown = { text, restore: this.#watch() }
  }

  hide(): void {
    const erase = this.#take()
    if (erase !== '') write(this.#process.stdout, erase)
  }

  /** What has to be written so that nothing of it is there. */
  #take(): string {
    const shown = this.#shown
    if (shown === null) return ''
    this.#shown = null
    shown.restore()
    // Made narrower meanwhile, the terminal has put it on several rows.
    const rows = Math.ceil(shown.text.length / (this.width + 1)) - 1
    return `${rows > 0 ? `\u001b[${rows}A` : ''}\r\u001b[J`
  }

  /** Whoever prints finds the line gone, and so does whoever comes after this process, whatever ends it. */
  #watch(): () => void {
    const process = this.#process
    const hide = () => this.hide()
    const undo: (() => void)[] = []
    for (const stream of new Set([process.stdout, process.stderr])) {
      const original = stream.write
      stream.write = (...args) => {
        hide()
        return stream.write(...args)
      }
      undo.push(() => {
        stream.write = original
      })
    }
    process.on('exit', hide)
    undo.push(() => process.off('exit', hide))
    for (const signal of ENDING) {
      const ended = () => {
        hide()
        // With nobody else to hear it, it ends the process as it does without this line.
        if (process.listenerCount(signal) === 0) process.kill(process.pid, signal)
      }
      process.on(signal, ended)
      undo.push(() => process.off(signal, ended))
    }
    return () => undo.forEach((restore) => restore())
  }
}

/** With the spaces in front that lines up with what is printed. */
function oneLineKept(text: string): string {
  return `${/^ */.exec(text)?.[0] ?? ''}${oneLine(text)}`
}

function write(stream: Terminal, text: string): void {
  ;(stream.write as (text: string) => boolean)(text)
}
