/** A program of the tests as one bundle: where it is started often, that is three times as fast as from its sources. */
import { join } from 'node:path'
import { rolldown } from 'rolldown'

/** @returns the file to start; what it loads later lies beside it, so that a start reads no more than it needs */
export async function bundled(source: string, folder: string): Promise<string> {
  const bundle = await rolldown({
    input: { main: source },
    platform: 'node',
    transform: { target: 'node24' },
    onLog: () => undefined,
  })
  await bundle.write({ dir: folder, entryFileNames: '[name].mjs', chunkFileNames: '[name]-[hash].mjs', format: 'esm' })
  await bundle.close()
  return join(folder, 'main.mjs')
}
