/** The state folder `.pitlane/`, beside `pitlane.yaml`. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PitlaneError } from '../errors.ts'

export interface StateFolder {
  readonly root: string
  readonly database: string
  /** One folder for each build: workspaces, logs, exit statuses. */
  readonly builds: string
  /** Content store of artifacts and image layers. */
  readonly artifacts: string
}

export function stateFolder(project: string): StateFolder {
  const root = join(project, '.pitlane')
  return {
    root,
    database: join(root, 'state.sqlite'),
    builds: join(root, 'builds'),
    artifacts: join(root, 'artifacts'),
  }
}

/** Makes the folder, private to the user, ignored by git. Throws `STORAGE_FAILED`. */
export function makeStateFolder(folder: StateFolder): void {
  try {
    for (const path of [folder.root, folder.builds, folder.artifacts]) mkdirSync(path, { recursive: true, mode: 0o700 })
    writeFileSync(join(folder.root, '.gitignore'), '*\n')
  } catch (error) {
    throw new PitlaneError(
      'STORAGE_FAILED',
      `cannot make the state folder ${folder.root}: ${(error as Error).message}`,
      {
        hint: 'Pitlane keeps its state beside pitlane.yaml: make that folder writable.',
        cause: error,
      },
    )
  }
}
