/** What commands print: text for people on a terminal or in a log, or JSON for programs. */
import { closeSync, constants, openSync, readSync, fstatSync } from 'node:fs'
import { PitlaneError, type Place } from '../errors.ts'
import { shown } from '../plan/version-name.ts'
import type { Progress, Report } from '../run/progress.ts'
import { formatBytes, formatDuration } from './amounts.ts'
import { calm, FOR_PEOPLE, FOR_PROGRAMS, progressEnd, progressLine, waitingLine } from './progress-text.ts'
import { shellWord } from '../words/shell-word.ts'

export interface Streams {
  readonly stdout: { write(text: string): unknown }
  readonly stderr: { write(text: string): unknown }
}

/** NDJSON: one event, one line. */
export function jsonReport(streams: Streams): Report {
  const isDue = calm(FOR_PROGRAMS)
  return (progress) => {
    if (isDue(progress)) streams.stdout.write(`${JSON.stringify(progress)}\n`)
  }
}

/** One line for each thing that happened; nothing is overwritten, so that a log reads like the terminal. */
export function textReport(streams: Streams): Report {
  const isDue = calm(FOR_PEOPLE)
  return (progress) => {
    const line = isDue(progress) ? describe(progress) : null
    // A note may cite what somebody else has put into the bucket.
    if (line !== null) streams.stdout.write(`${printableLines(line)}\n`)
  }
}

function describe(progress: Progress): string | null {
  switch (progress.event) {
    case 'build':
      return `build ${progress.number}  ${buildWords(progress)}`
    case 'stage':
      return stageLine(progress)
    case 'step':
      return stepLine(progress)
    case 'artifact':
      return `  built   ${progress.target}/${progress.name}  ${formatBytes(progress.size)}  sha256 ${progress.sha256.slice(0, 16)}…`
    case 'documentation':
      return `  built   documentation ${progress.folder}/  ${progress.files} files, ${formatBytes(progress.size)}`
    case 'publication':
      return progress.state === 'done' && (progress.operations > 0 || progress.kind === 'check')
        ? `  done    ${progress.entry}${progress.operations > 0 ? `  (${progress.operations})` : ''}`
        : null
    case 'published':
      return publishedLines(progress).join('\n')
    case 'start-over':
      return startOverLines(progress).join('\n')
    case 'progress':
      return progress.state === 'going' ? progressLine(progress) : progressEnd(progress)
    case 'waiting':
      return waitingLine(progress)
    case 'note':
      return progress.message
  }
}

function startOverLines(progress: Extract<Progress, { event: 'start-over' }>): readonly string[] {
  const { version, state, objects, foreign, build, images, unasked } = progress
  const count = `${objects.length} ${objects.length === 1 ? 'object' : 'objects'}`
  if (state === 'done') return [`${version} is started over: ${count} removed`]
  return [
    `${version} can be started over: no list, pointer, tag, state or mark names it`,
    ...objects.map((key) => `  remove  ${key}`),
    ...(build === null ? [] : [`  forget  its publication, and build ${build}`]),
    ...(images ? ['  stays   what was pushed of its images: nothing names it, and the registry may collect it'] : []),
    ...(unasked === null
      ? []
      : [
          `  mind    ${unasked}: nobody has looked there. If this folder was uploaded meanwhile, take a new version instead`,
        ]),
    ...foreign.map((key) => `  stays   ${key}: no release puts such a thing there`),
  ]
}

/** What was written, and what is left to do. Nobody has looked at the public address. */
function publishedLines(progress: Extract<Progress, { event: 'published' }>): readonly string[] {
  const { version, channel, bucket, page, already, served } = progress
  const where = served ? bucket : `the folder ${bucket}`
  const first = already
    ? `${version} is already published in ${where}`
    : `${version} is published (${channel}) in ${where}`
  const lines = [first, `  to look at it, open ${shellWord(page)}`]
  if (served || already) return lines
  if (progress.public === null)
    lines.push('  lists, feeds and install.sh name this folder: set publish.public before anybody else is to read them')
  else {
    const folder = shellWord(bucket)
    lines.push(
      `  for ${progress.public}: serve this folder there, or upload it, what pages and lists name first; with S3:`,
      `    aws s3 sync ${folder} s3://NAME --exclude '*' --include '_releases/*/*' &&`,
      `    aws s3 sync ${folder} s3://NAME --exclude '.*'`,
    )
  }
  return lines
}

function buildWords(progress: Extract<Progress, { event: 'build' }>): string {
  const what = progress.kind === 'checks' ? 'checks' : 'release build'
  const commit = progress.commit.slice(0, 12)
  const of = progress.version === progress.commit ? commit : `${progress.version} (${commit})`
  switch (progress.state) {
    case 'started':
      return `${what} of ${of}`
    case 'resumed':
      return `${what} of ${of}, going on where it stopped`
    case 'reused':
      return `${what} of ${of} ${progress.kind === 'checks' ? 'are' : 'is'} green already`
    case 'succeeded':
      return `${what} succeeded`
    case 'failed':
      return `${what} failed`
  }
}

function stageLine(progress: Extract<Progress, { event: 'stage' }>): string | null {
  const note = progress.note === null ? '' : `: ${progress.note}`
  switch (progress.state) {
    case 'not-run':
      return `  not run ${progress.stage}${note}`
    case 'failed':
      return `  FAILED  ${progress.stage}${note}`
    case 'skipped':
      return `  skipped ${progress.stage}${note}`
    case 'preparing':
      return progress.attempt > 1 ? `  again   ${progress.stage}, attempt ${progress.attempt}` : null
    case 'waiting':
    case 'running':
    case 'collecting':
    case 'succeeded':
      return null
  }
}

function stepLine(progress: Extract<Progress, { event: 'step' }>): string | null {
  const name =
    progress.stage.endsWith(`/${progress.step}`) || progress.stage === progress.step
      ? progress.stage
      : `${progress.stage}/${progress.step}`
  const took = progress.duration === null ? '' : `  ${formatDuration(progress.duration)}`
  switch (progress.state) {
    case 'running':
      return `  start   ${name}`
    case 'succeeded':
      return `  ok      ${name}${took}`
    case 'failed':
      return `  FAILED  ${name}${took}  ${progress.exitCode === null ? 'lost' : `exit code ${progress.exitCode}`}\n${tail(progress.output)}`
    case 'timed-out':
      return `  FAILED  ${name}${took}  timed out\n${tail(progress.output)}`
    case 'interrupting':
      return `  stopped ${name}`
    case 'timing-out':
    case 'cutting-off':
    case 'waiting':
    case 'skipped':
      return null
  }
}

const TAIL_LINES = 20
const TAIL_BYTES = 8192

/** The last lines of a step's output, indented, and where all of it is. */
function tail(file: string): string {
  let text = ''
  try {
    // Should a step have put a pipe there, opening it must not wait for a writer.
    const handle = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const { size } = fstatSync(handle)
      const buffer = Buffer.alloc(Math.min(size, TAIL_BYTES))
      readSync(handle, buffer, 0, buffer.length, size - buffer.length)
      text = buffer.toString('utf8')
    } finally {
      closeSync(handle)
    }
  } catch {
    return `            no output (${file})`
  }
  const lines = text
    .trimEnd()
    .split('\n')
    .slice(-TAIL_LINES)
    .map((line) => `            ${printable(line)}`)
  if (lines.every((line) => line.trim() === '')) return `            no words in the output (${file})`
  return [...lines, `            output: ${file}`].join('\n')
}

/** Without control characters, so that what a build wrote can't drive a person's terminal. */
export function printable(text: string): string {
  return text
    .replace(/\u001b\[[0-9;?]*[A-Za-z]/g, '')
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '')
}

/** The same for what has to stay within its line. */
export function oneLine(text: string): string {
  return printable(text).replaceAll(/\s+/g, ' ').trim()
}

/** A name that anybody may have given, so that no two look alike and none is more than its part of a line. */
export function nameInLine(name: string): string {
  return /^\s|\s$|[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(name) ? shown(name) : name
}

/** An error as a person should meet it: what, where, what to do. */
export function describeError(error: unknown): string {
  if (!(error instanceof PitlaneError)) {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return `pitlane: INTERNAL: this is a defect in Pitlane\n${stack}`
  }
  const place = error.place === undefined ? '' : `${formatPlace(error.place)}: `
  const first = error.message.startsWith(place) ? error.message : `${place}${error.message}`
  const hint = error.hint === undefined ? '' : `\n  ${error.hint}`
  return `pitlane: ${error.code}: ${printableLines(first)}${hint}`
}

export function errorDocument(error: unknown): Record<string, unknown> {
  if (!(error instanceof PitlaneError)) {
    return { event: 'error', code: 'INTERNAL', message: error instanceof Error ? error.message : String(error) }
  }
  const { code, fault, retry, message, hint, place, output } = error
  return {
    event: 'error',
    code,
    fault,
    retry,
    message,
    hint: hint ?? null,
    place: place ?? null,
    output: output ?? null,
  }
}

function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n')
}

function formatPlace(place: Place): string {
  return `${place.file}:${place.line}:${place.column}`
}
