/** Walks the publication list: performs, proves, and verifies. */
import { readDocumentation } from '../database/queries/documentation.ts'
import type { BuildRow } from '../database/queries/builds.ts'
import { finishPublication, type PublicationRow } from '../database/queries/publications.ts'
import { PitlaneError } from '../errors.ts'
import { ahead, atOnce } from '../parallel.ts'
import type { Plan } from '../plan/plan.ts'
import { beginChange, type SiteChange } from './documentation/change-site.ts'
import { SITE_ENTRIES } from './documentation/operations.ts'
import { planOwnSite } from './documentation/own-site.ts'
import { readSiteNow } from './documentation/read-site.ts'
import { carryOutEntry, type Journal } from './journal.ts'
import { putListsOf } from './lists/listing.ts'
import { readSite, type Site } from './lists/read-site.ts'
import { staleKeys } from './lists/lists.ts'
import type { Materials } from './materials.ts'
import { prepare, type Promotion } from './prepare.ts'
import { prove, readBack, verifyAsStranger } from './publication-checks.ts'
import { requireSameOwner } from './owner.ts'
import { type Entry, type Operation, PUBLICATION } from './publication.ts'
import type { ReleaseParts } from './release.ts'
import { untilShown } from './shown.ts'
import { noteDoubt, readStanding } from './lists/standing.ts'

/** While nobody else publishes into the bucket: what is read of its lists stays as it is until they are replaced. */
export function publish(parts: ReleaseParts, plan: Plan, build: BuildRow, promotion: Promotion): Promise<void> {
  return parts.lists.exclusively(() => walk(parts, plan, build, promotion))
}

async function walk(parts: ReleaseParts, plan: Plan, build: BuildRow, promotion: Promotion): Promise<void> {
  const { publication, materials } = await prepare(parts, plan, build, promotion)
  const journal: Journal = {
    writer: parts.engine.writer,
    bucket: parts.bucket,
    registry: parts.registry,
    metering: parts.lists.metering,
    version: plan.version,
    title: `the publication of ${plan.version}`,
    stop: parts.stop.drain,
  }
  const subject: Subject = {
    plan,
    build,
    materials,
    publication,
    readBack: new Map(),
    site: null,
    change: null,
    lists: [],
  }
  for (const entry of PUBLICATION) {
    if (entry.id === 'site-announced') await planSite(parts, journal, subject)
    if (plan.release?.documentation === undefined && SITE_ENTRIES.includes(entry.id)) continue
    const operations = [...materials.operations, ...(subject.change?.operations ?? [])]
    const own = operations.filter((operation) => operation.entry === entry.id)
    parts.engine.report({
      event: 'publication',
      version: plan.version,
      entry: entry.title,
      kind: entry.kind,
      state: 'started',
      operations: own.length,
    })
    const count = await carryOut(parts, journal, entry, subject)
    parts.engine.report({
      event: 'publication',
      version: plan.version,
      entry: entry.title,
      kind: entry.kind,
      state: 'done',
      operations: count,
    })
  }
  await parts.engine.writer.write((trx) => finishPublication(trx, plan.version))
}

interface Subject {
  readonly plan: Plan
  readonly build: BuildRow
  readonly materials: Materials
  readonly publication: PublicationRow
  /** SHA-256 by destination, of this very run; empty before. */
  readBack: ReadonlyMap<string, string>
  /** What lists are computed from; known when everything that they may name is out. */
  site: Site | null
  /** Of the documentation site; null where this release is not the one that it is of. */
  change: SiteChange | null
  /** As they were put; none before. */
  lists: readonly Operation[]
}

async function carryOut(parts: ReleaseParts, journal: Journal, entry: Entry, subject: Subject): Promise<number> {
  const { plan, materials } = subject
  switch (entry.id) {
    case 'objects':
    case 'manifests':
    case 'image-index':
    case 'documents': {
      const operations = materials.operations.filter((operation) => operation.entry === entry.id)
      await carryOutEntry(journal, entry, operations)
      return operations.length
    }
    case 'tags': {
      const operations = materials.operations.filter((operation) => operation.entry === entry.id)
      // Every document is out, and nobody else puts one: what there is besides is found out meanwhile.
      const out = carryOutEntry(journal, entry, operations)
      const [, site] = await atOnce([() => out, () => readOwnSite(parts, out)])
      subject.site = site
      return operations.length
    }
    case 'site-announced':
    case 'site-assets':
    case 'site-new-pages':
    case 'site-begun-pages':
    case 'site-pages':
    case 'site-top': {
      const operations = subject.change?.operations.filter((operation) => operation.entry === entry.id) ?? []
      await carryOutEntry(journal, entry, operations)
      return operations.length
    }
    case 'read-back':
      subject.readBack = await readBack(parts, journal, materials.operations)
      return subject.readBack.size
    case 'proof':
      await prove(parts, plan, materials, subject.readBack)
      return 0
    case 'lists':
      subject.lists = await putOwnLists(parts, journal, subject)
      return subject.lists.length
    case 'verify':
      await untilShown(parts, 'the new lists', async () => {
        const out = [...(subject.change?.operations ?? []), ...subject.lists]
        return (await staleKeys(parts.readers, out)).length === 0
      })
      await verifyAsStranger(parts, plan, materials, subject.readBack)
      return 0
  }
}

/**
 * What the lists, and the site of documentation, are made of.
 * @param out when the tags are: whether what is new may be listed is looked at then
 */
async function readOwnSite({ lists }: ReleaseParts, out: Promise<void>): Promise<Site> {
  const standing = await readStanding(lists)
  noteDoubt(lists, standing)
  await requireSameOwner(lists, standing)
  // Found out meanwhile, and asked for with the lists.
  void ahead(lists.sendsOn?.(standing.index?.stableLinks === true) ?? Promise.resolve(false))
  return readSite(lists, standing, 'changes', out)
}

/** When everything else of the release is out: what the site is to hold depends on what else is there. */
async function planSite({ lists, content, engine }: ReleaseParts, journal: Journal, subject: Subject): Promise<void> {
  const { plan, build } = subject
  if (subject.site === null) throw new PitlaneError('INTERNAL', 'a documentation site before the tags')
  const files = await readDocumentation(engine.writer.db, build.id)
  const open = (sha256: string) => content.open(sha256)
  subject.change = await planOwnSite(lists, subject.site, { plan, files, open })
  // Also where nothing is to be done any more: what a run that died has written down is over then.
  if (plan.release?.documentation !== undefined) await beginChange(journal, subject.change)
}

async function putOwnLists({ lists }: ReleaseParts, journal: Journal, subject: Subject): Promise<readonly Operation[]> {
  const { site, change, publication } = subject
  if (site === null) throw new PitlaneError('INTERNAL', 'lists before the documentation')
  const { bucket, name, check } = lists
  const now = change === null ? site : { ...site, documentation: await readSiteNow(bucket, name, check) }
  return (await putListsOf(lists, journal, now, publication.published_at)).operations
}
