/** Programs that benches start: those of others, and small ones of our own. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Place } from './measure.ts'

/** @returns the program, or ends the bench with the reason why it can't be had */
export function required(found: { readonly program: string } | { readonly absent: string }): string {
  if ('program' in found) return found.program
  console.error(found.absent)
  return process.exit(1)
}

/** Bundles `programs/NAME.ts` as the product is, into a folder below this one. */
export function buildProgram(name: string, folder: string): string {
  const out = join(folder, 'programs')
  const built = spawnSync(
    process.execPath,
    ['scripts/build.ts', '--entry', `test/bench/programs/${name}.ts`, '--out', out],
    { encoding: 'utf8' },
  )
  if (built.status !== 0) throw new Error(built.stderr)
  return join(out, 'main.js')
}

/** What a program prints, and the wall time of its process from before it is made until it has ended, in milliseconds. Throws when it failed. */
export async function output(
  command: string,
  args: readonly string[],
  place: Place,
): Promise<{ readonly said: string; readonly took: number }> {
  const since = performance.now()
  const child = spawn(command, args, { ...place, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  const said = await text(child.stdout)
  const [code] = (await ended) as [number | null]
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}`)
  return { said, took: performance.now() - since }
}
