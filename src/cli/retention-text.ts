/** The plan of `pitlane retention`, and what became of it, as text and as JSON. */
import type { Applied } from '../release/retention/apply.ts'
import type { PlannedVersion, RetentionPlan, Step } from '../release/retention/plan.ts'
import { formatBytes } from './amounts.ts'
import { table } from './text-table.ts'

/** In this order; what stays comes last. */
const STEPS: readonly Step[] = ['restore', 'retire', 'remove', 'held', 'retired', 'kept']

const WORDS: Readonly<Record<Step, string>> = {
  restore: 'comes back',
  retire: 'leaves the lists',
  remove: 'is removed',
  held: 'is left alone',
  retired: 'has left the lists',
  kept: 'stays',
}

export function planLines({ versions, strays }: RetentionPlan): readonly string[] {
  const rows = STEPS.flatMap((step) => versions.filter((version) => version.step === step)).map((version) => [
    WORDS[version.step],
    version.version,
    version.channel,
    version.publishedAt.slice(0, 10),
    `${version.reason}${datesOf(version)}`,
    contentWords(version),
  ])
  const { retire, waiting, remove } = totals(versions)
  const counted = [
    ['leaving the lists', retire] as const,
    ['waiting for their time', waiting] as const,
    ['removed now', remove] as const,
  ].filter(([, total]) => total.versions > 0)
  return [
    ...(rows.length === 0 ? ['nothing is published yet'] : table(rows)),
    ...(counted.length === 0 ? ['nothing goes'] : []),
    ...counted.map(([words, total]) => `${words}: ${count(total.versions, 'version')}, ${totalWords(total)}`),
    ...(strays.objects === 0
      ? []
      : [
          `${count(strays.objects, 'object')} (${formatBytes(strays.bytes)}) below _releases/ that no document names, left alone: ${strays.examples.join(', ')}${strays.objects > strays.examples.length ? ', …' : ''}`,
        ]),
  ]
}

export function appliedLines({ restored, retired, removed, left }: Applied): readonly string[] {
  return [
    ...restored.map((version) => `restored  ${version}`),
    ...retired.map((version) => `retired   ${version}`),
    ...removed.map((version) => `removed   ${version}`),
    ...left.map(({ version, name }) => `left      ${name} of ${version}: the registry does not delete it`),
  ]
}

/** Dates and sizes as a program wants them. */
export function planDocument({ versions, strays }: RetentionPlan) {
  return {
    versions: versions.map(({ version, channel, publishedAt, step, reason, since, removeAfter, contents, mark }) => ({
      version,
      channel,
      publishedAt,
      step,
      reason,
      since,
      retiredAt: mark?.retiredAt ?? null,
      removeAfter,
      goes: contents === null ? null : sum([contents]),
    })),
    totals: totals(versions),
    strays,
  }
}

function totals(versions: readonly PlannedVersion[]) {
  const of = (step: Step) => {
    const contents = versions.flatMap((version) =>
      version.step === step && version.contents !== null ? [version.contents] : [],
    )
    return { versions: versions.filter((version) => version.step === step).length, ...sum(contents) }
  }
  return { retire: of('retire'), waiting: of('retired'), remove: of('remove') }
}

type Contents = NonNullable<PlannedVersion['contents']>

/** Each manifest and blob once, however many repositories and versions have it. */
function sum(all: readonly Contents[]) {
  const bytes = (sizes: Iterable<number>) => [...sizes].reduce((a, b) => a + b, 0)
  const objects = all.flatMap((contents) => [...contents.objects, ...(contents.documentation ?? [])])
  const distinct = new Map(
    all.flatMap(({ manifests, blobs }) => [...manifests, ...blobs]).map((one) => [one.digest, one.size]),
  )
  return {
    objects: objects.length,
    bytes: bytes(objects.map(({ size }) => size)),
    tags: all.flatMap((contents) => contents.tags).length,
    manifests: new Set(all.flatMap(({ manifests }) => manifests.map(({ digest }) => digest))).size,
    imageBytes: bytes(distinct.values()),
  }
}

function contentWords({ contents, step }: PlannedVersion): string {
  return contents === null || step === 'held' ? '' : totalWords(sum([contents]))
}

function totalWords({ objects, bytes, tags, manifests, imageBytes }: ReturnType<typeof sum>): string {
  const files = `${count(objects, 'object')} (${formatBytes(bytes)})`
  if (tags === 0) return files
  return `${files}, ${count(tags, 'tag')} and ${count(manifests, 'manifest')} (${formatBytes(imageBytes)})`
}

function datesOf({ since, step, removeAfter }: PlannedVersion): string {
  if (step === 'retire' && since !== null) return `, since ${since.slice(0, 10)}`
  if (step === 'retired' && removeAfter !== null) return `; goes after ${removeAfter}`
  return ''
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}
