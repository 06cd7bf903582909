// Four images with a binary of 30 MB each and the index over them into a loopback registry, into empty repositories. The images are made
// before: nobody compresses anything, and what empties the registry is not timed.
//
// Ours carries out the operations of a publication, with its journal on disk, each operation confirmed by asking. It is timed from the first look
// at the registry until everything is confirmed: Node runs and the journal is open in a release long since. The lines `whole process` say
// what it is with that. The peers push the same bytes from OCI layouts, and are timed as whole processes, one for each image and one for
// the index, as scripts have to call them: each image goes into its platform's repository, all of them and the index into another one.
// `one repository` is that last one alone, one call of the peer: there is nothing in it that can be saved, and it has no bound.
//
// The second push finds everything there, with a journal that knows of nothing: each blob, manifest and tag is asked for.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crane } from '../conformance/peers/crane.ts'
import { distribution, startDistribution } from '../conformance/peers/distribution.ts'
import { onPath } from '../conformance/peers/installed.ts'
import { makeImages, TAG } from './images.ts'
import { compare, wholeProcess } from './measure.ts'
import { buildProgram, output, required } from './programs.ts'

const SIZE = 30_000_000
const PAIRS = 5

const programs = { registry: required(distribution()), crane: required(crane()), skopeo: required(onPath('skopeo')) }
const folder = mkdtempSync(join(tmpdir(), 'pitlane-bench-push-'))
const registry = await startDistribution(programs.registry)
try {
  const program = buildProgram('push', folder)
  const { platforms, index } = await makeImages(folder, SIZE)
  type Which = 'all' | 'index'
  const layouts = { all: [...platforms, index], index: [index] }
  const env = { PATH: process.env['PATH'] ?? '', HOME: folder }

  /** Milliseconds: of the whole process, and of the push alone. */
  const push = async (which: Which): Promise<{ whole: number; push: number }> => {
    const state = join(folder, 'state')
    rmSync(state, { recursive: true, force: true })
    mkdirSync(state)
    const { said, took } = await output(process.execPath, [program, folder, registry.host, state, which], { env })
    return { whole: took, push: Number(said) }
  }
  const emptied = (which: Which, what: 'whole' | 'push') => async () => {
    registry.empty()
    return (await push(which))[what]
  }
  const craned = (which: Which) => async () => {
    registry.empty()
    let sum = 0
    for (const { repository, layout } of layouts[which])
      sum += await wholeProcess(
        programs.crane,
        ['push', '--insecure', layout, `${registry.host}/${repository}:${TAG}`],
        { env },
      )
    return sum
  }
  const skopeod = (which: Which) => async () => {
    registry.empty()
    let sum = 0
    for (const { repository, layout } of layouts[which])
      sum += await wholeProcess(
        programs.skopeo,
        [
          '--insecure-policy',
          'copy',
          '--quiet',
          '--all',
          '--dest-tls-verify=false',
          `oci:${layout}:${TAG}`,
          `docker://${registry.host}/${repository}:${TAG}`,
        ],
        { env },
      )
    return sum
  }
  const bound = 0.5
  await compare(
    [
      { what: 'as a release / crane', ours: emptied('all', 'push'), peer: craned('all'), bound },
      { what: 'as a release / skopeo', ours: emptied('all', 'push'), peer: skopeod('all'), bound },
      { what: 'as a release, whole process / crane', ours: emptied('all', 'whole'), peer: craned('all') },
      { what: 'as a release, whole process / skopeo', ours: emptied('all', 'whole'), peer: skopeod('all') },
      { what: 'one repository / crane', ours: emptied('index', 'push'), peer: craned('index') },
      { what: 'one repository / skopeo', ours: emptied('index', 'push'), peer: skopeod('index') },
    ],
    PAIRS,
  )
  registry.empty()
  await push('all')
  await compare(
    [
      {
        what: 'second push, all there',
        ours: async () => (await push('all')).push,
        figure: 'time',
        bound: 100,
      },
      { what: 'second push, whole process', ours: async () => (await push('all')).whole, figure: 'time' },
    ],
    11,
  )
} finally {
  await registry.stop()
  rmSync(folder, { recursive: true, force: true })
}
