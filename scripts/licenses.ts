// The licences of what is bundled: the package carries other people's code, and so their texts.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const ACCEPTED = new Set(['MIT', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', '0BSD'])
const FILE = /^(licen[cs]e|copying)(\.(md|txt))?$/i
const NOTICE = /^notice(\.(md|txt))?$/i

interface Manifest {
  readonly name?: string
  readonly version?: string
  readonly license?: string
  readonly author?: string | { readonly name?: string }
}

/**
 * The text of `THIRD-PARTY-LICENSES.txt` for the given module files, sorted by package.
 * @throws Error naming every package without a licence text, or with a licence that is not accepted
 */
export function licensesOf(modules: readonly string[]): string {
  const folders = [...new Set(modules.map(packageFolder).filter((folder) => folder !== null))]
  const faults: string[] = []
  const sections = folders.map((folder) => {
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
    const title = `${manifest.name} ${manifest.version}`
    const names = readdirSync(folder).sort()
    const texts = [...names.filter((name) => FILE.test(name)), ...names.filter((name) => NOTICE.test(name))]
    const hasText = names.some((name) => FILE.test(name))
    // Apache's text is the same for everybody, and Pitlane's own; the others begin with who holds the copyright.
    const isApache = manifest.license === 'Apache-2.0'
    const holder = authorOf(manifest)
    if (!hasText && !isApache && (manifest.license !== 'MIT' || holder === null))
      faults.push(`${title} has no licence file`)
    if (!isAccepted(manifest.license)) faults.push(`${title} has the licence ${manifest.license ?? '(none)'}`)
    const bodies = texts.map((name) => readFileSync(join(folder, name), 'utf8').trim())
    if (!hasText)
      bodies.unshift(
        isApache
          ? 'The package brings no licence file. The text of its licence is that of the file LICENSE of Pitlane.'
          : `The package brings no licence file, and says in its manifest: MIT, by ${holder}. ${MIT}`,
      )
    return { title, text: [`${title} (${manifest.license})`, ...bodies].join('\n\n') }
  })
  if (faults.length > 0) throw new Error(`not to be bundled:\n  ${faults.sort().join('\n  ')}`)
  const line = `\n\n${'-'.repeat(80)}\n\n`
  return `${sections
    .sort((a, b) => (a.title < b.title ? -1 : 1))
    .map(({ text }) => text)
    .join(line)}\n`
}

/** What the licence asks to be repeated; its whole text stands beside other packages in the same file. */
const MIT = 'The text of the MIT licence is the one that other packages in this file bring.'

function authorOf({ author }: Manifest): string | null {
  return (typeof author === 'string' ? author : author?.name) ?? null
}

/** An SPDX expression is accepted when one of its alternatives is; `AND` and `WITH` are not taken apart. */
function isAccepted(license: string | undefined): boolean {
  return (license ?? '')
    .replaceAll(/[()]/g, '')
    .split(' OR ')
    .some((one) => ACCEPTED.has(one.trim()))
}

/** The nearest folder upwards, below a node_modules, whose manifest has a name and a version; null for our own files. */
function packageFolder(module: string): string | null {
  if (!module.includes('/node_modules/')) return null
  for (let at = dirname(module); !at.endsWith('/node_modules'); at = dirname(at)) {
    const file = join(at, 'package.json')
    if (!existsSync(file)) continue
    const manifest = JSON.parse(readFileSync(file, 'utf8')) as Manifest
    // Packages put nameless manifests into folders, only to say what kind of modules lie there.
    if (manifest.name !== undefined && manifest.version !== undefined) return at
  }
  throw new Error(`${module}: belongs to no package`)
}
