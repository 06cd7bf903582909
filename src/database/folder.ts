/** The state folder `.pitlane/`, beside `pitlane.yaml`. */
import { mkdirSync, lstatSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { machineHint, PitlaneError, systemCode } from '../errors.ts'

export interface StateFolder {
  readonly root: string
  readonly database: string
  /** One folder for each build: workspaces, logs, exit statuses. */
  readonly builds: string
  /** Content store of artifacts and image layers. */
  readonly artifacts: string
  /** What is remembered of the bucket's documents. */
  readonly documents: string
}

export function stateFolder(project: string): StateFolder {
  const root = join(project, '.pitlane')
  return {
    root,
    database: join(root, 'state.sqlite'),
    builds: join(root, 'builds'),
    artifacts: join(root, 'artifacts'),
    documents: join(root, 'documents'),
  }
}

/** Not `recursive`: Node then calls a read-only file system "no such file". */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
    // A link, too: a repository could carry one, and would say where the state is written.
    if (!lstatSync(path).isDirectory()) throw new Error(`${path} is there, and is not a folder`, { cause: error })
  }
}

const IGNORE_ALL = '*\n'

/** What commands write to by these names. */
const FILES = [
  '.gitignore',
  'lock',
  'lock.holder',
  'documents',
  'state.sqlite',
  'state.sqlite-wal',
  'state.sqlite-shm',
  'state.sqlite-journal',
]

/** A link would have another file of the user written to, and a pipe would be waited for: a repository could carry the one, a step could make either. */
function requireFile(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found !== undefined && !found.isFile()) throw new Error(`${path} is there, and is not a file`)
}

/** Written only where it differs: git, which another command may be asking at this moment, is never shown an empty one. */
function ignore(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found?.size !== IGNORE_ALL.length || readFileSync(path, 'utf8') !== IGNORE_ALL) writeFileSync(path, IGNORE_ALL)
}

/** Makes the folder, private to the user, ignored by git. Throws `STORAGE_FAILED`. */
export function makeStateFolder(folder: StateFolder): void {
  try {
    for (const path of [folder.root, folder.builds, folder.artifacts]) makeFolder(path)
    for (const name of FILES) requireFile(join(folder.root, name))
    ignore(join(folder.root, '.gitignore'))
  } catch (error) {
    throw new PitlaneError(
      'STORAGE_FAILED',
      `cannot make the state folder ${folder.root}: ${(error as Error).message}`,
      {
        hint: [
          machineHint(error),
          'Pitlane keeps its state in .pitlane beside pitlane.yaml: that has to be a folder that it can write to.',
        ]
          .filter((part) => part !== undefined)
          .join(' '),
        cause: error,
      },
    )
  }
}
