/** Flags and arguments that commands share, each with what a shell may propose for it. */
import { TARGETS } from '../plan/targets.ts'
import type { Context } from './context.ts'

/** Behind what was typed: the shell itself proposes files. In no word of a command line, and in no name of a file. */
export const FILES = '\0files'

const text = (input: string): string => input

export const json = {
  kind: 'boolean',
  brief: 'Print JSON instead of text',
  default: false,
  withNegated: false,
} as const

export const noWait = {
  kind: 'boolean',
  brief: 'Fail at once when another process is working on this project',
  default: false,
  withNegated: false,
} as const

export const takeTags = {
  kind: 'boolean',
  brief: 'Take over tags of `release.image.floating` that name an image of somebody else',
  default: false,
  withNegated: false,
} as const

export const jobs = {
  kind: 'parsed',
  parse: jobsParser,
  brief: 'How many steps run at once (default: the number of processors)',
  optional: true,
  placeholder: 'N',
} as const

export const without = {
  kind: 'parsed',
  parse: text,
  brief: 'Give up a release whose document is lost, for ever; may be given again',
  placeholder: 'VERSION',
  variadic: true,
  optional: true,
} as const

export function textFlag(placeholder: string, brief: string) {
  return { kind: 'parsed', parse: text, brief, optional: true, placeholder } as const
}

export function revisionFlag(brief: string) {
  return { ...textFlag('REV', brief), proposeCompletions: proposeRevisions } as const
}

export function versionFlag(brief: string) {
  return { ...textFlag('VERSION', brief), proposeCompletions: proposeVersions } as const
}

export function fileFlag(placeholder: string, brief: string) {
  return { ...textFlag(placeholder, brief), proposeCompletions: proposeFiles } as const
}

export function requiredFileFlag(placeholder: string, brief: string) {
  return { kind: 'parsed', parse: text, brief, placeholder, proposeCompletions: proposeFiles } as const
}

/** Of a release that is made, or added to: where it has a tag, that is its name. */
export function madeVersionFlag(brief: string) {
  return { ...textFlag('VERSION', brief), proposeCompletions: proposeRevisions } as const
}

export function targetFlag(brief: string) {
  return { ...textFlag('TRIPLE', brief), proposeCompletions: () => TARGETS.map(({ triple }) => triple) } as const
}

export function platformFlag(brief: string) {
  return { ...textFlag('PLATFORM', brief), proposeCompletions: () => TARGETS.map(({ platform }) => platform) } as const
}

export const binaryArgument = {
  kind: 'tuple',
  parameters: [
    {
      brief: 'The binary (default: where the build leaves it)',
      parse: text,
      placeholder: 'FILE',
      optional: true,
      proposeCompletions: proposeFiles,
    },
  ],
} as const

export const folderArgument = {
  kind: 'tuple',
  parameters: [
    { brief: 'Folder of the finished site', parse: text, placeholder: 'FOLDER', proposeCompletions: proposeFiles },
  ],
} as const

export const revision = {
  kind: 'tuple',
  parameters: [
    {
      brief: 'Tag, branch or commit (default: HEAD)',
      parse: text,
      placeholder: 'REV',
      optional: true,
      proposeCompletions: proposeRevisions,
    },
  ],
} as const

export const versionArgument = {
  kind: 'tuple',
  parameters: [{ brief: 'Version', parse: text, placeholder: 'VERSION', proposeCompletions: proposeVersions }],
} as const

export const withdrawnArgument = {
  kind: 'tuple',
  parameters: [{ brief: 'Version', parse: text, placeholder: 'VERSION', proposeCompletions: proposeWithdrawn }],
} as const

export const channelArgument = {
  kind: 'tuple',
  parameters: [
    {
      brief: 'Channel: stable, extra, development, or as declared',
      parse: text,
      placeholder: 'CHANNEL',
      proposeCompletions: proposeChannels,
    },
  ],
} as const

export const dryRun = {
  kind: 'boolean',
  brief: 'Only say what would be done',
  default: false,
  withNegated: false,
} as const

export const yes = { kind: 'boolean', brief: 'Do not ask', default: false, withNegated: false } as const

export const words = {
  kind: 'array',
  parameter: { brief: 'Words', parse: text, placeholder: 'WORD' },
} as const

export const shell = {
  kind: 'tuple',
  parameters: [
    {
      brief: 'bash, zsh or fish',
      parse: shellParser,
      placeholder: 'SHELL',
      proposeCompletions: () => ['bash', 'zsh', 'fish'],
    },
  ],
} as const

async function proposeRevisions(this: Context): Promise<readonly string[]> {
  return (await import('./proposals.ts')).revisions(this)
}

async function proposeVersions(this: Context): Promise<readonly string[]> {
  return (await import('./proposals.ts')).versions(this)
}

async function proposeWithdrawn(this: Context): Promise<readonly string[]> {
  return (await import('./proposals.ts')).withdrawn(this)
}

async function proposeChannels(this: Context): Promise<readonly string[]> {
  return (await import('./proposals.ts')).channels(this)
}

function proposeFiles(partial: string): readonly string[] {
  return [partial + FILES]
}

function jobsParser(input: string): number {
  const value = /^[0-9]{1,3}$/.test(input) ? Number(input) : 0
  if (value < 1 || value > 256) throw new SyntaxError('a whole number from 1 to 256 is expected')
  return value
}

function shellParser(input: string): 'bash' | 'zsh' | 'fish' {
  if (input === 'bash' || input === 'zsh' || input === 'fish') return input
  throw new SyntaxError('bash, zsh or fish is expected')
}
