// A release that a version of Pitlane has begun, as text: what later versions have to finish. `PITLANE_RECORD_BEGUN=1 node
// scripts/test.ts crash/begun` writes the fixtures of the present version; those of older versions are never written again.
import { isUtf8 } from 'node:buffer'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { FAST, git, type World } from './worlds.ts'

export interface Begun {
  /** Version of Pitlane. */
  readonly pitlane: string
  /** At which point of which command it was killed. */
  readonly killed: string
  /** `git bundle` of the repository, base64. */
  readonly repository: string
  /** The schema as SQL, then every table's rows. */
  readonly schema: readonly string[]
  readonly rows: Readonly<Record<string, readonly Readonly<Record<string, SQLInputValue>>[]>>
  /** Files below the world's root, text or base64: state without its database, bucket and images. */
  readonly files: Readonly<Record<string, { readonly text: string } | { readonly base64: string }>>
}

/** What is of one machine or one moment, or can be had from the rest. */
const LEFT_OUT =
  /\.pitlane\/(lock|lock\.holder|lock-journal|state\.sqlite.*|\.gitignore)$|\/workspace\/|\/lanes\/|\/binary\//

export function recordBegun(world: World, pitlane: string, killed: string): Begun {
  const bundle = join(world.root, 'bundle')
  git(world, 'bundle', 'create', '--quiet', bundle, '--all')
  const repository = readFileSync(bundle).toString('base64')
  rmSync(bundle)
  const db = new DatabaseSync(join(world.project, '.pitlane', 'state.sqlite'), { readOnly: true })
  const tables = db.prepare("select name, sql from sqlite_master where type = 'table' order by rowid").all()
  const indexes = db
    .prepare("select sql from sqlite_master where type = 'index' and sql is not null order by rowid")
    .all()
  const rows = Object.fromEntries(
    tables.map(({ name }) => [name, db.prepare(`select * from ${String(name)} order by rowid`).all()]),
  ) as Begun['rows']
  db.close()
  const files: Record<string, Begun['files'][string]> = {}
  for (const folder of [join(world.project, '.pitlane'), world.bucket, world.images]) {
    if (!existsSync(folder)) continue
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name)
      if (!entry.isFile() || LEFT_OUT.test(path)) continue
      const bytes = readFileSync(path)
      files[relative(world.root, path)] = isUtf8(bytes)
        ? { text: bytes.toString('utf8') }
        : { base64: bytes.toString('base64') }
    }
  }
  const schema = [...tables, ...indexes].map(({ sql }) => String(sql))
  const begun = { pitlane, killed, repository, schema, rows, files }
  if (JSON.stringify(begun).includes(world.root)) throw new Error(`the state tells where it lies: ${world.root}`)
  return begun
}

/** The world as it was left; `like` gives the surroundings. */
export function restoreBegun(begun: Begun, like: World): World {
  const empty = mkdtempSync(join(FAST, 'pitlane-crash-'))
  mkdirSync(join(empty, 'home'))
  const at = (name: string) => join(empty, name)
  const env = { ...like.env, HOME: at('home') }
  const world = { root: empty, project: at('project'), bucket: at('bucket'), images: at('images'), env }
  writeFileSync(at('bundle'), Buffer.from(begun.repository, 'base64'))
  const cloned = spawnSync('git', ['clone', '--quiet', at('bundle'), world.project], { env, encoding: 'utf8' })
  if (cloned.status !== 0) throw new Error(cloned.stderr)
  for (const [path, content] of Object.entries(begun.files)) {
    mkdirSync(dirname(at(path)), { recursive: true })
    writeFileSync(at(path), 'text' in content ? content.text : Buffer.from(content.base64, 'base64'))
  }
  mkdirSync(join(world.project, '.pitlane'), { recursive: true })
  const db = new DatabaseSync(join(world.project, '.pitlane', 'state.sqlite'))
  for (const sql of begun.schema) db.exec(sql)
  for (const [table, rows] of Object.entries(begun.rows)) {
    for (const row of rows) {
      const columns = Object.keys(row)
      const places = columns.map(() => '?').join(', ')
      db.prepare(`insert into ${table} (${columns.join(', ')}) values (${places})`).run(...Object.values(row))
    }
  }
  db.close()
  return world
}
