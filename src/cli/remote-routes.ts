/** Commands that ask a server: names, flags and help. */
import { buildCommand, buildRouteMap } from '@stricli/core'
import type { Context } from './context.ts'
import { json } from './parameters.ts'

const text = (input: string): string => input
const word = (placeholder: string, brief: string) => ({ parse: text, placeholder, brief })
const repositoryName = word('OWNER/NAME', 'Repository, as pitlane repo ls has it')
const flags = { json }
const load = () => import('./commands/remote.ts')

export const repo = buildRouteMap({
  routes: {
    ls: buildCommand<{ json: boolean }, [], Context>({
      loader: async () => (await load()).repositories,
      docs: { brief: 'List the repositories of the server' },
      parameters: { flags },
    }),
    enable: buildCommand<{ json: boolean }, [string], Context>({
      loader: async () => (await load()).enable,
      docs: { brief: 'Check what is pushed to a repository from now on' },
      parameters: { flags, positional: { kind: 'tuple', parameters: [repositoryName] } },
    }),
    disable: buildCommand<{ json: boolean }, [string], Context>({
      loader: async () => (await load()).disable,
      docs: { brief: 'Check it no longer; its builds stay' },
      parameters: { flags, positional: { kind: 'tuple', parameters: [repositoryName] } },
    }),
  },
  docs: { brief: 'Repositories of a server' },
})

export const build = buildRouteMap({
  routes: {
    ls: buildCommand<{ json: boolean }, [string], Context>({
      loader: async () => (await load()).builds,
      docs: { brief: 'List builds, the newest first' },
      parameters: { flags, positional: { kind: 'tuple', parameters: [repositoryName] } },
    }),
    info: buildCommand<{ json: boolean }, [string, string?], Context>({
      loader: async () => (await load()).build,
      docs: { brief: 'Show one build with its stages and steps' },
      parameters: {
        flags,
        positional: {
          kind: 'tuple',
          parameters: [repositoryName, { ...word('BUILD', 'Number, or last'), optional: true }],
        },
      },
    }),
  },
  docs: { brief: 'Builds of a server' },
})

export const log = buildRouteMap({
  routes: {
    view: buildCommand<object, [string, string, string, string], Context>({
      loader: async () => (await load()).log,
      docs: { brief: 'Print what a step has printed' },
      parameters: {
        positional: {
          kind: 'tuple',
          parameters: [
            repositoryName,
            word('BUILD', 'Number of the build'),
            word('STAGE', 'Number of the stage'),
            word('STEP', 'Number of the step'),
          ],
        },
      },
    }),
  },
  docs: { brief: 'Logs of a server' },
})
