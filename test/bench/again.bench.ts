// A release of a version that is published already, and unchanged: whole process.
import { makeWorld } from '../world/toy.ts'
import { compare, pitlane } from './measure.ts'

const world = makeWorld()
const place = { cwd: world.project, env: world.env }
try {
  await pitlane(['release', 'v1.0.0'], place)
  await compare(
    [
      {
        what: 'release of an unchanged version again',
        ours: () => pitlane(['release', 'v1.0.0'], place),
        figure: 'time',
        bound: 1000,
      },
    ],
    11,
  )
} finally {
  world.remove()
}
