/** Rows of artifacts, their layers and their tests. Writing the same again does nothing; writing other bytes under a name is refused. */
import type { Transaction } from 'kysely'
import { PitlaneError } from '../../errors.ts'
import type { ArtifactsTable, Database, LayersTable, ReleaseTestsTable } from '../schema.ts'
import type { Reader } from '../writer.ts'

export type ArtifactRow = Readonly<ArtifactsTable>
export type LayerRow = Readonly<LayersTable>
export type ReleaseTestRow = Readonly<ReleaseTestsTable>

export async function insertArtifact(trx: Transaction<Database>, row: ArtifactRow): Promise<void> {
  const there = await trx
    .selectFrom('artifacts')
    .select('sha256')
    .where('build_id', '=', row.build_id)
    .where('output_id', '=', row.output_id)
    .executeTakeFirst()
  if (there === undefined) {
    await trx.insertInto('artifacts').values(row).execute()
  } else if (there.sha256 !== row.sha256) {
    throw new PitlaneError(
      'CONTRADICTION',
      `${row.output_id} was collected as ${there.sha256} and now is ${row.sha256}`,
    )
  }
}

export async function readArtifacts(db: Reader, buildId: string): Promise<readonly ArtifactRow[]> {
  return db.selectFrom('artifacts').selectAll().where('build_id', '=', buildId).orderBy('output_id').execute()
}

export async function insertLayer(trx: Transaction<Database>, row: LayerRow): Promise<void> {
  await trx
    .insertInto('layers')
    .values(row)
    .onConflict((c) =>
      c.columns(['build_id', 'target']).doUpdateSet({ digest: row.digest, size: row.size, diff_id: row.diff_id }),
    )
    .execute()
}

export async function readLayers(db: Reader, buildId: string): Promise<readonly LayerRow[]> {
  return db.selectFrom('layers').selectAll().where('build_id', '=', buildId).orderBy('target').execute()
}

export async function putReleaseTest(trx: Transaction<Database>, row: ReleaseTestRow): Promise<void> {
  const { build_id: _build, target: _target, ...changing } = row
  await trx
    .insertInto('release_tests')
    .values(row)
    .onConflict((c) => c.columns(['build_id', 'target']).doUpdateSet(changing))
    .execute()
}

export async function readReleaseTests(db: Reader, buildId: string): Promise<readonly ReleaseTestRow[]> {
  return db.selectFrom('release_tests').selectAll().where('build_id', '=', buildId).orderBy('target').execute()
}
