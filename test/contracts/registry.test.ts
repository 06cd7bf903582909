import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { layoutRegistry } from '../../src/image/layout.ts'
import { registryContract } from './registry.contract.ts'

registryContract(
  'layout',
  async (t) => {
    const parent = await mkdtemp(join(tmpdir(), 'pitlane-registry-'))
    t.after(() => rm(parent, { recursive: true }))
    const folder = join(parent, 'not', 'yet', 'there')
    return {
      open: () => layoutRegistry(folder),
      damage: (digest) => writeFile(join(folder, 'blobs', 'sha256', digest.slice(7)), 'damaged'),
    }
  },
  { damageable: true, deletesTags: true },
)
