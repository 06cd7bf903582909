/** Toys that are published to servers, with the command line as it is developed. */
import { fileURLToPath } from 'node:url'
import { runProgram } from '../world/program.ts'
import { CONFIGURATION, makeWorld, type World } from '../world/toy.ts'
import type { RegistryServer } from './peers/distribution.ts'
import type { S3Server } from './peers/s3.ts'
import type { Web } from './peers/web.ts'

const PITLANE = fileURLToPath(new URL('../../bin/pitlane-dev.ts', import.meta.url))
const JSX = fileURLToPath(new URL('../../scripts/jsx.ts', import.meta.url))

/** What Node is given before the words of a command. */
export const PITLANE_ARGUMENTS = ['--disable-warning=ExperimentalWarning', '--import', JSX, PITLANE]

export interface Published {
  readonly s3: S3Server
  readonly registry: RegistryServer
  readonly web: Web
  readonly world: World
  /** More of the environment: a login. */
  env?: NodeJS.ProcessEnv
  /** Everything the commands said. */
  said: string
}

export async function pitlane(on: Published, ...args: string[]) {
  const env = { ...on.world.env, ...on.env, AWS_ACCESS_KEY_ID: on.s3.accessKey, AWS_SECRET_ACCESS_KEY: on.s3.secretKey }
  const options = { cwd: on.world.project, env }
  const outcome = await runProgram(process.execPath, [...PITLANE_ARGUMENTS, ...args], options)
  on.said += outcome.stdout + outcome.stderr
  return outcome
}

/**
 * A toy that will be published there.
 * @param addressOf where people read what is in the bucket
 */
export async function publishingTo(
  s3: S3Server,
  registry: RegistryServer,
  addressOf: (web: Web) => Promise<string> = (web) => Promise.resolve(web.url),
): Promise<Published> {
  await s3.makeBucket('releases')
  const web = await s3.readBucket('releases')
  const world = makeWorld(
    CONFIGURATION.replace('bucket: ../bucket', `bucket: s3://releases?endpoint=${s3.url}&region=${s3.region}`)
      .replace('registry: ../images', `registry: ${registry.host}`)
      .replace('https://releases.example.org', await addressOf(web)),
  )
  return { s3, registry, web, world, said: '' }
}

export async function stop({ world, web, registry, s3 }: Published): Promise<void> {
  world.remove()
  for (const server of [web, registry, s3]) await server.stop()
}
