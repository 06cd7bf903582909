/** What `release.documentation` has to mean beside the rest of the file. */
import { posix } from 'node:path'
import { DEFAULT_CHANNELS, DEVELOPMENT } from '../../channel.ts'
import type { ConfiguredDocumentation } from '../../configuration.ts'
import { parseDays, parseDuration } from '../../duration.ts'
import { suggestion } from '../../../words/nearest.ts'
import { type Problem, problem } from './problems.ts'
import { commandRules } from './rules.ts'
import type { PitlaneFile } from './schema.ts'

type Written = NonNullable<NonNullable<PitlaneFile['release']>['documentation']>

const KEY = ['release', 'documentation']

/** @param channels as the file declares them; null when that part could not be read */
export function documentationRules(
  documentation: Written,
  channels: PitlaneFile['channels'] | null,
): readonly Problem[] {
  const { run, folder, channel } = documentation
  const problems = [...commandRules(KEY, documentation)]
  if ((run === undefined) !== (folder === undefined)) {
    const [there, lacks] = run === undefined ? ['folder', 'run'] : ['run', 'folder']
    const message = `the key "${lacks}" is missing: release.documentation.${there} alone builds nothing; without both the site is built elsewhere`
    problems.push(problem(KEY, message))
  }
  const fault = folder === undefined ? null : folderFault(folder)
  if (fault !== null)
    problems.push(problem([...KEY, 'folder'], `release.documentation.folder: ${JSON.stringify(folder ?? '')} ${fault}`))
  if (channels !== null) {
    const known = [
      ...(channels === undefined ? DEFAULT_CHANNELS.map(({ name }) => name) : Object.keys(channels)),
      DEVELOPMENT,
    ]
    if (!known.includes(channel)) {
      const message = `release.documentation.channel: there is no channel "${channel}": ${suggestion(channel, known)}`
      problems.push(problem([...KEY, 'channel'], message))
    }
  }
  return problems
}

function folderFault(folder: string): string | null {
  if (folder.startsWith('/')) return 'is absolute, and the folder has to be inside the checkout'
  if (folder.split('/').includes('..')) return 'leads out of a folder with ".."'
  if (folder.split('/').includes('.git')) return 'is a place of git'
  return posix.normalize(`${folder}/`) === './' ? 'is the whole checkout, and a folder of its own is needed' : null
}

export function toDocumentation(documentation: Written): ConfiguredDocumentation {
  const { run, folder, path, channel, versions, grace, timeout, env } = documentation
  return {
    build:
      run === undefined || folder === undefined
        ? null
        : { run, folder: posix.normalize(folder).replace(/\/$/, ''), timeout: parseDuration(timeout), env },
    path: path === '/' ? '' : `${path.replace(/\/$/, '')}/`,
    channel,
    versions,
    grace: parseDays(grace),
  }
}
