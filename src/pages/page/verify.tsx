import { KEYS } from '../../plan/keys.ts'
import type { AdoptedFile, ReleaseDocument, ReleaseFile } from '../../release/document.ts'
import { relativeUrl } from '../../plan/key-url.ts'
import type { Catalogue } from '../catalogue.ts'
import { verifyCommands } from '../commands.ts'
import { minisignKeyLine } from '../index-json.ts'
import { CommandBlock } from './commands.tsx'

interface Props {
  readonly document: ReleaseDocument
  readonly file: ReleaseFile | AdoptedFile
  readonly catalogue: Catalogue
}

/** How to check one file of a release by hand, and the key that it is checked with. */
export function Verify({ document, file, catalogue }: Props) {
  return (
    <section id="_verify" aria-labelledby="_verify-title">
      <h2 id="_verify-title">Verify</h2>
      {verifyCommands(catalogue, document, file).map((commands) => (
        <CommandBlock commands={commands} level={3} />
      ))}
      <PublicKey catalogue={catalogue} />
    </section>
  )
}

function PublicKey({ catalogue }: { catalogue: Catalogue }) {
  if (catalogue.publicKey === null) return null
  return (
    <dl class="facts">
      <dt>Public key</dt>
      <dd>
        <code>{minisignKeyLine(catalogue.publicKey.minisign)}</code>
        <small class="links">
          <span>Key {catalogue.publicKey.keyId}</span>
          <a href={relativeUrl(KEYS.publicKey)}>minisign.pub</a>
          <a href={relativeUrl(KEYS.publicKeyPem)}>signing-key.pem</a>
        </small>
        <small>
          Compare it once with a copy from somewhere else: who can change this page can change the key on it.
        </small>
      </dd>
    </dl>
  )
}
