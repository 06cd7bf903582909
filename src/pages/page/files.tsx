import { findTarget } from '../../plan/targets.ts'
import { type AdoptedFile, builtOf, type ReleaseDocument, type ReleaseFile } from '../../release/document.ts'
import { relativeUrl } from '../../plan/key-url.ts'
import { exactSize, humanDate, humanSize, plainLine, shortVersion } from '../text.ts'
import { TestResult } from './result.tsx'

/** The files of a release, one row per platform. On a phone each row becomes a card; the roles keep it a table for screen readers. */
export function Files({ document }: { document: ReleaseDocument }) {
  const signed = document.signing.scheme === 'minisign'
  return (
    <table role="table" class="files">
      <caption>Files of {shortVersion(document.version)}, one for each platform</caption>
      <thead role="rowgroup">
        <tr role="row">
          <th role="columnheader" scope="col">
            Platform
          </th>
          <th role="columnheader" scope="col">
            File
          </th>
          <th role="columnheader" scope="col">
            SHA-256
          </th>
          <th role="columnheader" scope="col">
            Tested
          </th>
        </tr>
      </thead>
      <tbody role="rowgroup">
        {document.files.map((file) => (
          <FileRow document={document} file={file} signed={signed} />
        ))}
      </tbody>
    </table>
  )
}

function linkage(file: ReleaseFile | AdoptedFile): string {
  if ('modifiedAt' in file) return `, of ${humanDate(file.modifiedAt)}`
  const { elf } = file
  if (elf === null) return ', no executable'
  return elf.static ? ', static' : ', needs libraries'
}

interface RowProps {
  readonly document: ReleaseDocument
  readonly file: ReleaseFile | AdoptedFile
  readonly signed: boolean
}

function FileRow({ document, file, signed }: RowProps) {
  const built = builtOf(document)
  const target = findTarget(file.target)
  const name = plainLine(file.name)
  const href = relativeUrl(file.path)
  const label = target?.label ?? plainLine(file.target)
  return (
    <tr role="row" data-uname={target?.uname.join(' ')}>
      <th role="rowheader" scope="row">
        {label}
        <small>{plainLine(file.target)}</small>
      </th>
      <td role="cell">
        <a class="download" href={href} aria-label={`Download ${name} for ${label}`} download={name}>
          {name}
        </a>
        <small>
          <data value={String(file.size)} title={exactSize(file.size)}>
            {humanSize(file.size)}
          </data>
          {linkage(file)}
        </small>
      </td>
      <td role="cell" class="digest">
        {file.sha256 === null ? <span class="badge warn">digest unknown</span> : <code>{file.sha256}</code>}
        <small>
          {built === null ? null : (
            <a href={`${href}.sha256`} aria-label={`.sha256, checksum file of ${name} for ${label}`}>
              .sha256
            </a>
          )}
          {signed && built !== null ? (
            <a href={`${href}.minisig`} aria-label={`.minisig, signature of ${name} for ${label}`}>
              .minisig
            </a>
          ) : (
            <span class="badge warn">not signed</span>
          )}
        </small>
      </td>
      <td role="cell">
        {built === null ? (
          <span class="badge open">
            <span aria-hidden="true">– </span>not tested by Pitlane
          </span>
        ) : (
          <TestResult test={built.tests.find((test) => test.target === file.target)} />
        )}
      </td>
    </tr>
  )
}
