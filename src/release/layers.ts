/** One image layer for each artifact, compressed once: the bytes are kept by their digest and written down. */
import type { ContentStore } from '../artifact/content.ts'
import { insertLayer, readArtifacts, readLayers } from '../database/queries/artifacts.ts'
import type { BuildRow } from '../database/queries/builds.ts'
import { writeLayer } from '../image/layer.ts'
import { inParallel } from '../parallel.ts'
import type { Plan } from '../plan/plan.ts'
import type { EngineParts } from '../run/parts.ts'
import { countedBody } from './counted.ts'
import type { ListParts } from './lists/list-parts.ts'

export async function writeLayers(
  parts: { readonly engine: EngineParts; readonly content: ContentStore; readonly lists: Pick<ListParts, 'metering'> },
  plan: Plan,
  build: BuildRow,
): Promise<void> {
  const { writer, limits } = parts.engine
  const artifacts = await readArtifacts(writer.db, build.id)
  const known = new Set<string>()
  for (const row of await readLayers(writer.db, build.id)) {
    // What was lost since is made again.
    if ((await parts.content.inspect(row.digest.slice('sha256:'.length))) === 'whole') known.add(row.target)
  }
  const missing = artifacts.filter((artifact) => !known.has(artifact.target))
  const bytes = missing.reduce((sum, { size }) => sum + size, 0)
  const about = { of: 'image layers', doing: 'packing', pieces: missing.length, bytes } as const
  await parts.lists.metering(about, (meter) =>
    inParallel(missing, limits.jobs, async (artifact) => {
      const piece = meter.piece(artifact.size)
      const layer = await writeLayer({
        name: artifact.name,
        body: countedBody(await parts.content.open(artifact.sha256), piece),
        mtime: plan.source.commitTime,
        put: (packed) => parts.content.putChunks(packed, `the image layer of ${artifact.target}`),
      })
      const row = {
        build_id: build.id,
        target: artifact.target,
        digest: layer.digest,
        size: layer.size,
        diff_id: layer.diffId,
      }
      await writer.write((trx) => insertLayer(trx, row))
      piece.done()
    }),
  )
}
