/** What a release document says of its plan: the same for what was built and for what was made by hand. */
import type { Plan } from '../plan/plan.ts'
import { type BuiltDocument, isoSeconds } from './document.ts'
import type { Signer } from './keys/sign.ts'

type Head = Pick<
  BuiltDocument,
  | 'format'
  | 'name'
  | 'version'
  | 'channel'
  | 'tag'
  | 'commit'
  | 'tree'
  | 'subject'
  | 'committedAt'
  | 'publishedAt'
  | 'notes'
  | 'plan'
  | 'configuration'
  | 'signing'
>

export interface HeadFacts {
  /** Null for a version that is no tag. */
  readonly tag: string | null
  /** Null when the project asked for `sign: none`. */
  readonly signer: Signer | null
  /** Milliseconds since 1970. */
  readonly publishedAt: number
}

/** As a document says by what it is signed. */
export function signingOf(signer: Signer | null): BuiltDocument['signing'] {
  if (signer === null) return { scheme: 'none' }
  return { scheme: 'minisign', publicKey: signer.publicKey.line, keyId: signer.keyId }
}

export function documentHead(plan: Plan, { tag, signer, publishedAt }: HeadFacts): Head {
  const { commit, tree, subject, commitTime } = plan.source
  return {
    format: 'pitlane-release/1',
    name: plan.project,
    version: plan.version,
    channel: plan.channel,
    tag,
    commit,
    tree,
    subject,
    committedAt: isoSeconds(commitTime * 1000),
    publishedAt: isoSeconds(publishedAt),
    notes: plan.notes,
    plan: plan.id,
    configuration: plan.configuration,
    signing: signingOf(signer),
  }
}
