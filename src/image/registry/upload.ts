/** Sending one blob (distribution specification 1.1, "Pushing blobs"): mounted where that goes, else in one request, else in pieces. */
import { Readable } from 'node:stream'
import { PitlaneError } from '../../errors.ts'
import { exactBytes } from '../../exact-bytes.ts'
import { hexOf } from '../names.ts'
import { discard, type HttpAnswer, shownUrl } from './http.ts'
import type { Session } from './session.ts'

export interface BlobUpload {
  /** With the namespace. */
  readonly name: string
  /** Another repository of the registry that has it. */
  readonly from: string | null
  readonly blob: { readonly digest: string; readonly size: number; open(): Readable }
  /** For messages. */
  readonly where: string
}

/** Bytes of a piece, where the server (or a proxy before it) takes no larger request. */
const PIECE = 8 * 1024 * 1024
const UPLOAD = { 'content-type': 'application/octet-stream' }

export async function uploadBlob(session: Session, upload: BlobUpload): Promise<void> {
  const place = await begin(session, upload)
  if (place === 'mounted') return
  const { blob } = upload
  const answer = await session.ask({
    method: 'PUT',
    to: withDigest(place, blob.digest),
    scope: scopeOf(upload),
    headers: UPLOAD,
    body: () => ({ size: blob.size, stream: Readable.from(exact(upload), { objectMode: false, highWaterMark: 1 }) }),
    // 404: the session ended with an attempt whose answer was lost; the caller looks whether the blob is there.
    expect: [201, 204, 404, 413],
  })
  discard(answer)
  if (answer.status === 413) await uploadInPieces(session, upload)
}

async function begin(session: Session, { name, from, blob, where }: BlobUpload): Promise<URL | 'mounted'> {
  if (from !== null && from !== name) {
    const mount = new URLSearchParams({ mount: blob.digest, from })
    // Needs the right to read there. Any other answer than "mounted" or "then send it" is no reason to give up.
    const answer = await session
      .ask({
        method: 'POST',
        to: `${name}/blobs/uploads/?${mount}`,
        scope: `repository:${name}:pull,push repository:${from}:pull`,
        expect: [201, 202],
      })
      .catch(() => null)
    if (answer !== null) {
      discard(answer)
      if (answer.status === 201) return 'mounted'
      return locationOf(answer, where)
    }
  }
  const answer = await session.ask({
    method: 'POST',
    to: `${name}/blobs/uploads/`,
    scope: `repository:${name}:pull,push`,
    expect: [202],
  })
  discard(answer)
  return locationOf(answer, where)
}

async function uploadInPieces(session: Session, upload: BlobUpload): Promise<void> {
  let place = await begin(session, { ...upload, from: null })
  if (place === 'mounted') return
  let sent = 0
  for await (const piece of inPieces(exact(upload), PIECE)) {
    const answer: HttpAnswer = await session.ask({
      method: 'PATCH',
      to: place,
      scope: scopeOf(upload),
      headers: { ...UPLOAD, 'content-range': `${sent}-${sent + piece.length - 1}` },
      body: () => piece,
      expect: [202, 204],
    })
    discard(answer)
    sent += piece.length
    place = locationOf(answer, upload.where)
  }
  const answer = await session.ask({
    method: 'PUT',
    to: withDigest(place, upload.blob.digest),
    scope: scopeOf(upload),
    headers: UPLOAD,
    body: () => Buffer.alloc(0),
    expect: [201, 204],
  })
  discard(answer)
}

/** Ends with CONTRADICTION when the bytes are not the announced ones, with STORAGE_FAILED when they can't be read. */
async function* exact({ blob, where }: BlobUpload): AsyncGenerator<Buffer> {
  const announced = { size: blob.size, sha256: hexOf(blob.digest), open: () => blob.open() }
  try {
    yield* exactBytes(
      announced,
      (found) =>
        new PitlaneError(
          'CONTRADICTION',
          `${where}: ${blob.digest} with ${blob.size} bytes was announced, and ${found} came`,
          { hint: 'What is sent changed while it was read: run the same command again.' },
        ),
    )
  } catch (error) {
    if (error instanceof PitlaneError) throw error
    throw new PitlaneError(
      'STORAGE_FAILED',
      `${where}: the bytes of ${blob.digest} could not be read: ${String(error)}`,
      {
        hint: 'The registry has no part of them: the same command goes on.',
        cause: error,
      },
    )
  }
}

async function* inPieces(source: AsyncIterable<Buffer>, size: number): AsyncGenerator<Buffer> {
  let held: Buffer[] = []
  let bytes = 0
  for await (const piece of source) {
    for (let rest = piece; rest.length > 0; ) {
      const fitting = rest.subarray(0, size - bytes)
      held.push(fitting)
      bytes += fitting.length
      rest = rest.subarray(fitting.length)
      if (bytes < size) continue
      yield Buffer.concat(held)
      held = []
      bytes = 0
    }
  }
  if (bytes > 0) yield Buffer.concat(held)
}

/** Absolute or relative, with parameters of the server's own, which are kept. */
function locationOf(answer: HttpAnswer, where: string): URL {
  const location = answer.header('location')
  if (location !== null && URL.canParse(location, answer.url)) {
    const url = new URL(location, answer.url)
    if (url.protocol === answer.url.protocol || url.protocol === 'https:') return url
  }
  throw new PitlaneError('FETCH_FAILED', `${where}: ${shownUrl(answer.url)} does not say where to send the blob`, {
    hint: 'Is that the address of a container registry?',
  })
}

function withDigest(place: URL, digest: string): URL {
  const url = new URL(place)
  url.searchParams.set('digest', digest)
  return url
}

function scopeOf({ name }: BlobUpload): string {
  return `repository:${name}:pull,push`
}
