/** Sending one blob (distribution specification 1.1, "Pushing blobs"): mounted where that goes, else in one request, else in pieces. */
import type { Readable } from 'node:stream'
import { PitlaneError } from '../../errors.ts'
import { measure } from '../../bytes/digest.ts'
import { hexOf } from '../names.ts'
import { discard, type HttpAnswer, locationOf, Passing, shownUrl } from './http.ts'
import type { AskOnce, Session } from './session.ts'

export interface BlobUpload {
  /** With the namespace. */
  readonly name: string
  /** A repository of the registry that has it; null where none is known. */
  readonly from: string | null
  readonly blob: { readonly digest: string; readonly size: number; open(): Readable }
  /** For messages. */
  readonly where: string
  /** Called before its bytes go out: the registry has them nowhere that is known. */
  readonly onSending: () => void
}

/** Bytes of a piece, where the server (or a proxy before it) takes no larger request. */
const PIECE = 8 * 1024 * 1024
const UPLOAD = { 'content-type': 'application/octet-stream' }

/** What a registry says of an upload that is over, or of which it has another part than was meant. */
const OVER = [400, 404, 416]

/**
 * Begins anew after every failure that may pass: of an upload whose connection was cut the registry has a part, and takes no other for it;
 * one whose answer was lost is over. What is left of them the registry forgets by itself.
 * @param there whether the registry has the blob by now; asked before anything is sent, and at the end
 * @returns what `there` said at the end
 */
export function uploadBlob(
  session: Session,
  upload: BlobUpload,
  there: (once: AskOnce) => Promise<boolean>,
): Promise<boolean> {
  let inPieces = false
  return session.attempting(async (once) => {
    const mounted = await mount(once, upload)
    if (mounted === 'mounted') return there(once)
    if (await there(once)) return true
    const place = mounted ?? (await beginSending(once, upload))
    upload.onSending()
    try {
      inPieces ||= !(await sendWhole(once, upload, place))
      if (inPieces) await sendPieces(once, upload)
    } catch (error) {
      // Refused as other bytes than announced: are they?
      if (error instanceof Passing && error.status === 400) await requireAnnounced(upload)
      throw error
    }
    return there(once)
  })
}

/** Begins an upload and gives it up at once. */
export async function tryUpload(session: Session, name: string): Promise<void> {
  const scope = `repository:${name}:pull,push`
  const begun = await session.ask({ method: 'POST', to: `${name}/blobs/uploads/`, scope, expect: [202] })
  discard(begun)
  // A registry that does not know how to give one up forgets it by itself.
  await session
    .ask({ method: 'DELETE', to: placeIn(begun, name), scope, expect: [200, 202, 204, 404, 405] })
    .then(discard, () => undefined)
}

/** False: the registry, or a proxy before it, takes nothing so large. */
async function sendWhole(once: AskOnce, upload: BlobUpload, place: URL): Promise<boolean> {
  const { blob } = upload
  const answer = await once({
    method: 'PUT',
    to: withDigest(place, blob.digest),
    scope: scopeOf(upload),
    headers: UPLOAD,
    body: () => ({ size: blob.size, pieces: piecesOfBlob(upload) }),
    expect: [201, 204, 413],
    passing: OVER,
  })
  discard(answer)
  return answer.status !== 413
}

async function sendPieces(once: AskOnce, upload: BlobUpload): Promise<void> {
  let place = await beginSending(once, upload)
  let sent = 0
  for await (const piece of piecesOf(piecesOfBlob(upload), PIECE)) {
    const answer: HttpAnswer = await once({
      method: 'PATCH',
      to: place,
      scope: scopeOf(upload),
      headers: { ...UPLOAD, 'content-range': `${sent}-${sent + piece.length - 1}` },
      body: () => piece,
      expect: [202, 204],
      passing: OVER,
    })
    discard(answer)
    sent += piece.length
    place = placeIn(answer, upload.where)
  }
  const answer = await once({
    method: 'PUT',
    to: withDigest(place, upload.blob.digest),
    scope: scopeOf(upload),
    headers: UPLOAD,
    body: () => Buffer.alloc(0),
    expect: [201, 204],
    passing: OVER,
  })
  discard(answer)
}

/** An upload that the registry has begun instead, or null: it has another home or none, and nothing is begun. */
async function mount(once: AskOnce, upload: BlobUpload): Promise<URL | 'mounted' | null> {
  const { name, from, blob, where } = upload
  if (from === null || from === name) return null
  const mounting = new URLSearchParams({ mount: blob.digest, from })
  // Needs the right to read there. Any other answer than "mounted" or "then send it" is no reason to give up.
  const answer = await once({
    method: 'POST',
    to: `${name}/blobs/uploads/?${mounting}`,
    scope: `${scopeOf(upload)} repository:${from}:pull`,
    expect: [201, 202],
  }).catch(() => null)
  if (answer === null) return null
  discard(answer)
  return answer.status === 201 ? 'mounted' : placeIn(answer, where)
}

async function beginSending(once: AskOnce, upload: BlobUpload): Promise<URL> {
  const to = `${upload.name}/blobs/uploads/`
  const answer = await once({ method: 'POST', to, scope: scopeOf(upload), expect: [202] })
  discard(answer)
  return placeIn(answer, upload.where)
}

/**
 * As many bytes as were announced, or none of them completely. Whether they are the announced ones is the registry's to find out, which reads
 * them anyway ("Pushing blobs": the digest of what came must match); hashing them here too would take as long as sending them.
 */
async function* piecesOfBlob(upload: BlobUpload): AsyncGenerator<Buffer> {
  const { size } = upload.blob
  let held: Buffer | undefined
  let came = 0
  for await (const piece of read(upload)) {
    came += piece.length
    if (came > size) throw unlike(upload, `more than ${size} bytes`)
    if (held !== undefined) yield held
    held = piece
  }
  if (came !== size) throw unlike(upload, `${came} bytes`)
  if (held !== undefined) yield held
}

async function requireAnnounced(upload: BlobUpload): Promise<void> {
  const { size, sha256 } = await measure(read(upload))
  if (size !== upload.blob.size || sha256 !== hexOf(upload.blob.digest))
    throw unlike(upload, `${size} bytes with SHA-256 ${sha256}`)
}

async function* read({ blob, where }: BlobUpload): AsyncGenerator<Buffer> {
  try {
    yield* blob.open() as AsyncIterable<Buffer>
  } catch (error) {
    throw new PitlaneError(
      'STORAGE_FAILED',
      `${where}: the bytes of ${blob.digest} could not be read: ${String(error)}`,
      { hint: 'The registry has no part of them: the same command goes on.', cause: error },
    )
  }
}

function unlike({ blob, where }: BlobUpload, found: string): PitlaneError {
  return new PitlaneError(
    'CONTRADICTION',
    `${where}: ${blob.digest} with ${blob.size} bytes was announced, and ${found} came`,
    { hint: 'What is sent changed while it was read: run the same command again.' },
  )
}

async function* piecesOf(source: AsyncIterable<Buffer>, size: number): AsyncGenerator<Buffer> {
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

function placeIn(answer: HttpAnswer, where: string): URL {
  const place = locationOf(answer)
  if (place !== null) return place
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
