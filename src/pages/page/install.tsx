import type { Catalogue } from '../catalogue.ts'
import { installCommands } from '../commands.ts'
import { CommandBlock } from './commands.tsx'

/** How to install the newest stable version, or the one that is named. */
export function Install({ catalogue, version }: { catalogue: Catalogue; version: string | null }) {
  return (
    <section id="_install" aria-labelledby="_install-title">
      <h2 id="_install-title">Install</h2>
      {installCommands(catalogue, version).map((commands) => (
        <CommandBlock commands={commands} level={3} />
      ))}
    </section>
  )
}
