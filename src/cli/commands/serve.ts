import { join } from 'node:path'
import { PitlaneError } from '../../errors.ts'
import { guard } from '../command.ts'
import type { Context } from '../context.ts'

export interface ServeFlags {
  readonly data?: string
  readonly listen?: string
  readonly jobs?: number
}

const LISTEN = '127.0.0.1:8000'

export async function serve(this: Context, flags: ServeFlags): Promise<void> {
  await guard(this, false, async () => {
    const folder = flags.data ?? defaultFolder(this.env)
    const { host, port } = parseListen(flags.listen ?? LISTEN)
    const server = await this.server({ folder, host, port, jobs: flags.jobs ?? this.processors })
    const { stdout } = this.process
    stdout.write(`Pitlane ${this.pitlaneVersion} at ${server.url}\n`)
    stdout.write(`  state        ${server.folder}\n`)
    stdout.write(`  repositories ${server.repositories}/OWNER/NAME.git, made with: git init --bare\n`)
    stdout.write(`  log in       ${server.loginUrl}\n`)
    stdout.write('               works once, for 15 minutes; a new start prints a new one\n')
    stdout.write(`  for programs export PITLANE_SERVER=${server.url} PITLANE_TOKEN=$(cat '${server.token}')\n`)
    await server.ended
  })
}

/** As the XDG base directory specification says. */
function defaultFolder(env: Context['env']): string {
  const { XDG_STATE_HOME: state = '', HOME: home = '' } = env
  if (state !== '') return join(state, 'pitlane')
  if (home !== '') return join(home, '.local', 'state', 'pitlane')
  throw new PitlaneError('USAGE', 'where to keep the state is not known: HOME is not set', {
    hint: 'Name a folder with --data.',
  })
}

function parseListen(text: string): { readonly host: string; readonly port: number } {
  const [, host = '', port = ''] = /^(\[[0-9a-f:]+\]|[A-Za-z0-9.-]+):(\d{1,5})$/i.exec(text) ?? []
  if (host === '' || Number(port) > 65_535)
    throw new PitlaneError('USAGE', `--listen ${text}: not an address and a port`, {
      hint: `Such as ${LISTEN}, or [::1]:8000.`,
    })
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) }
}
