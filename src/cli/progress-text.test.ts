import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { test } from 'node:test'
import type { Progress } from '../run/progress.ts'
import { jsonReport, textReport } from './output.ts'
import { progressLine, terminalReport, type Underway, type Waiting } from './progress-text.ts'
import { statusLine, type TerminalProcess } from './status-line.ts'

const MIB = 1024 * 1024
const BASE: Underway = {
  event: 'progress',
  of: 'binaries, their checksums and signatures, image blobs',
  doing: 'sending',
  state: 'going',
  pieces: 19,
  complete: 3,
  bytes: 400 * MIB,
  moved: 100 * MIB,
  spared: 0,
  rate: 10 * MIB,
  left: 30_000,
  elapsed: 10_000,
}
const WAIT: Waiting = { event: 'waiting', state: 'started', on: 'publisher', for: 'process 7 to end', duration: null }
const server = (duration: number): Waiting => ({
  ...WAIT,
  on: 'server',
  for: 's3.example.org, which asks to slow down',
  duration,
})

function written() {
  const lines: string[] = []
  const stdout = { write: (text: string) => void lines.push(text) }
  return { lines, streams: { stdout, stderr: stdout } }
}

test('how far it is, in words', () => {
  const cases: readonly (readonly [Partial<Underway>, string])[] = [
    [{}, '100.0 of 400.0 MiB (25 %), 10.0 MiB/s, about 30 s left'],
    [{ spared: 299 * MIB, left: 100 }, '399.0 of 400.0 MiB (99 %), 299.0 MiB were there, 10.0 MiB/s, at most 5 s left'],
    [{ moved: 1000, rate: 500, left: null }, '1000 B of 400.0 MiB (0 %), 500 B/s'],
    [{ moved: 400 * MIB, rate: 2048, left: 0 }, '400.0 of 400.0 MiB (100 %), 2.0 KiB/s, about 0 s left'],
    [{ left: 91_000 }, '100.0 of 400.0 MiB (25 %), 10.0 MiB/s, about 2 min left'],
    [{ left: 7_000_000 }, '100.0 of 400.0 MiB (25 %), 10.0 MiB/s, about 2 h left'],
    [{ moved: 0, rate: null, left: null }, '0 B of 400.0 MiB (0 %)'],
    [{ bytes: MIB - 1, moved: 5, rate: null, left: null }, '3 of 19'],
  ]
  for (const [part, expected] of cases)
    assert.equal(progressLine({ ...BASE, ...part }), `  sending ${BASE.of}: ${expected}`)
})

test('what does not fit into the columns is left out, never the number of bytes before the rest', () => {
  assert.equal(
    progressLine(BASE, 79),
    '  sending binaries, th…: 100.0 of 400.0 MiB (25 %), 10.0 MiB/s, about 30 s left',
  )
  assert.equal(progressLine(BASE, 60), '  sending binaries…: 100.0 of 400.0 MiB (25 %), 10.0 MiB/s')
  assert.equal(progressLine(BASE, 48), '  sending binaries…: 100.0 of 400.0 MiB (25 %)')
  assert.equal(progressLine(BASE, 40), '  sending 100.0 of 400.0 MiB (25 %)')
  assert.equal(
    progressLine(BASE, 79, 'waiting 7 s for s3'),
    '  sending binaries, their check…: 100.0 of 400.0 MiB (25 %), waiting 7 s for s3',
  )
  for (let width = 0; width < 130; width += 1)
    for (const wait of [null, 'waiting 20 s for a server with a long name']) {
      const line = progressLine(BASE, width, wait)
      assert.ok(line.length <= width, `${line.length} columns of ${width}: ${line}`)
    }
})

test('where lines stay: at the beginning, every ten seconds, and at the end', () => {
  const { lines, streams } = written()
  const report = textReport(streams)
  for (let elapsed = 1000; elapsed <= 21_000; elapsed += 250)
    report({ ...BASE, moved: (elapsed / 100) * MIB, elapsed, left: null })
  report({ ...BASE, state: 'done', moved: 300 * MIB, spared: 100 * MIB, left: null, elapsed: 30_000 })
  report({ ...BASE, of: 'lists', state: 'going', bytes: 10, moved: 0, rate: null, left: null })
  report({ ...BASE, of: 'lists', state: 'stopped', bytes: 10, moved: 0, rate: null, left: null })
  report({ ...BASE, of: 'never told', state: 'done' })
  assert.deepEqual(lines, [
    `  sending ${BASE.of}: 10.0 of 400.0 MiB (2 %), 10.0 MiB/s\n`,
    `  sending ${BASE.of}: 110.0 of 400.0 MiB (27 %), 10.0 MiB/s\n`,
    `  sending ${BASE.of}: 210.0 of 400.0 MiB (52 %), 10.0 MiB/s\n`,
    `  sent    ${BASE.of}: 300.0 MiB in 30.0 s, 10.0 MiB/s; 100.0 MiB were there already\n`,
    '  sending lists: 3 of 19\n',
    '  stopped lists: 3 of 19\n',
  ])
})

test('what is waited for stays as one line; a long wait says so once a minute, and its end', () => {
  const { lines, streams } = written()
  const report = textReport(streams)
  report(WAIT)
  for (let duration = 1000; duration <= 125_000; duration += 1000) report({ ...WAIT, state: 'going', duration })
  report({ ...WAIT, state: 'done', duration: 125_000 })
  report({ ...WAIT, for: 'another' })
  report({ ...WAIT, for: 'another', state: 'done', duration: 9000 })
  report(server(7000))
  report(server(7000))
  assert.deepEqual(lines, [
    'waiting for process 7 to end\n',
    'still waiting for process 7 to end: 1 min 0 s so far\n',
    'still waiting for process 7 to end: 2 min 0 s so far\n',
    'waited 2 min 5 s for process 7 to end\n',
    'waiting for another\n',
    'waiting 7.0 s for s3.example.org, which asks to slow down\n',
    'waiting 7.0 s for s3.example.org, which asks to slow down\n',
  ])
})

test('for programs: every second, in bytes and milliseconds', () => {
  const { lines, streams } = written()
  const report = jsonReport(streams)
  for (let elapsed = 1000; elapsed < 3250; elapsed += 250) report({ ...BASE, elapsed })
  report({ ...BASE, state: 'done', elapsed: 3100 })
  report(WAIT)
  for (let duration = 1000; duration <= 10_000; duration += 1000) report({ ...WAIT, state: 'going', duration })
  report({ ...WAIT, state: 'done', duration: 10_500 })
  const events = lines.map((line) => JSON.parse(line) as Underway & Waiting)
  assert.deepEqual(
    events.map(({ event, state, elapsed, duration }) => [event, state, elapsed ?? duration]),
    [
      ['progress', 'going', 1000],
      ['progress', 'going', 2000],
      ['progress', 'going', 3000],
      ['progress', 'done', 3100],
      ['waiting', 'started', null],
      ['waiting', 'going', 10_000],
      ['waiting', 'done', 10_500],
    ],
  )
  assert.deepEqual(events[0], { ...BASE, elapsed: 1000 })
})

/** A terminal of one column per character: what is on it, row by row. */
function terminal(env: Record<string, string> = {}, columns = 60) {
  const rows = ['']
  let [row, column] = [0, 0]
  const put = (text: string) => {
    for (const [token] of text.matchAll(/\u001b\[\d*[A-Z]|[\s\S]/g)) {
      const up = /^\u001b\[(\d+)A$/.exec(token)
      if (up !== null) row -= Number(up[1])
      else if (token === '\u001b[J') rows.splice(row, rows.length, (rows[row] ?? '').slice(0, column))
      else if (token === '\r') column = 0
      else {
        if (token === '\n' || column === stdout.columns) [row, column] = [row + 1, 0]
        rows[row] ??= ''
        if (token === '\n') continue
        const line = (rows[row] ?? '').padEnd(column)
        rows[row] = line.slice(0, column) + token + line.slice(column + 1)
        column += 1
      }
    }
    return true
  }
  /** As terminals do it: the last row is broken. */
  const narrow = (to: number) => {
    const pieces = Array.from({ length: Math.ceil((rows[row] ?? '').length / to) }, (_, at) =>
      (rows[row] ?? '').slice(at * to, (at + 1) * to),
    )
    rows.splice(row, 1, ...pieces)
    row += pieces.length - 1
    column = pieces.at(-1)?.length ?? 0
    stdout.columns = to
  }
  const stdout = { isTTY: true, columns, write: put as (...args: never[]) => boolean }
  const stderr = { isTTY: true, columns, write: put as (...args: never[]) => boolean }
  const signals = new EventEmitter()
  const killed: string[] = []
  const process: TerminalProcess = {
    stdout,
    stderr,
    env,
    pid: 7,
    on: (event, listener) => signals.on(event, listener),
    off: (event, listener) => signals.off(event, listener),
    listenerCount: (event) => signals.listenerCount(event),
    kill: (_, signal) => killed.push(signal),
  }
  const streams = { stdout: { write: (text: string) => stdout.write(text as never) }, stderr: { write: put } }
  return { process, stdout, stderr, streams, signals, killed, narrow, screen: () => rows.map((line) => line.trimEnd()) }
}

function reporting(env = {}, columns = 60) {
  const world = terminal(env, columns)
  const line = statusLine(world.process) ?? assert.fail('no line')
  return { ...world, line, report: terminalReport(line, textReport(world.streams)) }
}

test('in a terminal it is the last line, under what is printed, and nothing of it stays', () => {
  const { report, screen, stderr, signals } = reporting()
  const note = (message: string): Progress => ({ event: 'note', message })
  report(note('one'))
  report(BASE)
  report({ ...BASE, moved: 200 * MIB })
  assert.deepEqual(screen(), ['one', '  sending binaries…: 200.0 of 400.0 MiB (50 %), 10.0 MiB/s'])
  report(note('two'))
  assert.deepEqual(screen(), ['one', 'two', ''])
  report({ ...BASE, moved: 300 * MIB })
  // Whoever else prints.
  stderr.write('three\n' as never)
  assert.deepEqual(screen(), ['one', 'two', 'three', ''])
  report({ ...BASE, moved: 300 * MIB })
  report({ ...BASE, state: 'done', moved: 400 * MIB })
  report({ ...note('four') })
  assert.deepEqual(screen(), ['one', 'two', 'three', 'four', ''])
  assert.deepEqual(signals.eventNames(), [])
})

test('what is waited for is named in the line, and beside it when nothing else is under way', () => {
  const { report, screen } = reporting()
  report(WAIT)
  report({ ...WAIT, state: 'going', duration: 65_000 })
  assert.deepEqual(screen(), ['waiting for process 7 to end', 'still waiting for process 7 to end: 1 min 5 s so far'])
  report({ ...WAIT, state: 'done', duration: 66_000 })
  assert.deepEqual(screen(), ['waiting for process 7 to end', ''])
  report({ ...BASE, of: 'it' })
  report({ ...server(7000), for: 's3' })
  const head = '  sending it: 100.0 of 400.0 MiB (25 %)'
  assert.deepEqual(screen().slice(1), [`${head}, waiting 7 s for s3`])
  report({ ...BASE, of: 'it', elapsed: 12_500 })
  assert.deepEqual(screen().slice(1), [`${head}, waiting 5 s for s3`])
  report({ ...BASE, of: 'it', elapsed: 17_000, left: null })
  assert.deepEqual(screen().slice(1), [`${head}, 10.0 MiB/s`])
})

test('a terminal that was made narrower is cleared, too', () => {
  const { report, screen, narrow } = reporting({}, 100)
  report({ event: 'note', message: 'one' })
  report(BASE)
  narrow(30)
  assert.equal(screen().length, 5)
  report({ ...BASE, moved: 200 * MIB })
  assert.deepEqual(screen(), ['one', '  sending 200.0 of 400.0 MiB'])
})

test('whatever ends the process, its line is gone, and the signal does what it does', () => {
  for (const event of ['SIGINT', 'SIGTERM', 'SIGHUP', 'exit'] as const) {
    const { report, screen, signals, killed } = reporting()
    report(BASE)
    signals.emit(event)
    assert.deepEqual(screen(), [''])
    assert.deepEqual(killed, event === 'exit' ? [] : [event])
  }
  const { report, signals, killed } = reporting()
  signals.on('SIGINT', () => undefined)
  report(BASE)
  signals.emit('SIGINT')
  assert.deepEqual(killed, [], 'somebody else has heard it')
})

test('no line where there is no terminal for it', () => {
  for (const env of [
    ['TERM', 'dumb'],
    ['CI', 'true'],
  ] as const)
    assert.equal(statusLine(terminal({ [env[0]]: env[1] }).process), null)
  assert.notEqual(statusLine(terminal({ TERM: 'xterm', NO_COLOR: '1' }).process), null)
  const { process } = terminal()
  assert.equal(statusLine({ ...process, stdout: { ...process.stdout, isTTY: false } }), null)
  // The terminal of stdout counts.
  assert.notEqual(statusLine({ ...process, stderr: { ...process.stderr, isTTY: false } }), null)
})
