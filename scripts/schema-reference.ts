/** The reference of `pitlane.yaml` as Markdown, from its JSON Schema: a table for each mapping, in the order of the schema. */
import type { z } from 'zod'

type Schema = z.core.JSONSchema.JSONSchema

interface Section {
  /** `release.build`; empty for the file itself. */
  readonly path: string
  readonly schema: Schema
}

export function reference(schema: Schema): string {
  const sections: Section[] = [{ path: '', schema }]
  const parts: string[] = []
  for (const section of sections) {
    parts.push(sectionText(section))
    for (const [key, value] of Object.entries(section.schema.properties ?? {}))
      sections.push(...mappingsBelow(join(section.path, key), value))
  }
  return `${INTRODUCTION}\n${parts.join('\n')}`
}

const INTRODUCTION = `# \`pitlane.yaml\`

<!-- Written by scripts/schemas.ts from src/plan/dialects/pitlane/schema.ts: change it there. -->

What a project checks, builds, tests and publishes. The file is read from the commit that is built, never from the working tree. It is
YAML 1.2 in UTF-8, at most 1 MiB; every key that is not on this page is an error. Editors complete and check it with
\`schemas/pitlane.schema.json\`, which comes with the package.

Commands get these variables; a project can't set them itself:

| variable | in | value |
|---|---|---|
| \`COMMIT\` | all | full commit id |
| \`SOURCE_DATE_EPOCH\` | all | time of the commit, seconds since 1970 |
| \`VERSION\` | build, test, documentation | the tag, or the commit id where there is no tag |
| \`CHANNEL\` | build, test, documentation | channel of the version |
| \`TARGET\`, \`ARCH\` | build, test | the target triple, and \`amd64\`, \`i386\`, \`arm64\` or \`arm\` |
| \`RELEASES_PAGE\` | documentation | address of the release page; without \`publish.public\` its path, seen from the top of the documentation |
| \`DOCUMENTATION_URL\` | documentation | address of the newest documentation; empty without \`publish.public\` |
| \`BINARY\` | test | a path that runs the built binary on this machine |
| \`BINARY_FILE\` | test | the built binary itself; the same as \`BINARY\` unless an emulator runs it |
| \`BINARY_SHA256\` | test | digest of the built binary |
| \`BINARY_MODE\` | test | \`native\` or \`qemu\` |
`

function sectionText({ path, schema }: Section): string {
  const required = new Set(schema.required)
  const rows = Object.entries(schema.properties ?? {}).map(([key, value]) => {
    const property = value as Schema
    const given = required.has(key) ? '**required**' : defaultText(property)
    return `| \`${key}\` | ${typeText(property)} | ${given} | ${cell(property.description ?? '')} |`
  })
  const title = path === '' ? '## The file' : `## \`${path}\``
  return [title, '', '| key | type | default | |', '|---|---|---|---|', ...rows, ''].join('\n')
}

/** The mappings that a key leads to, directly, in a list (`checks[]`) or under names (`channels.NAME`). */
function mappingsBelow(path: string, value: unknown): readonly Section[] {
  const schema = value as Schema
  const item = schema.items as Schema | undefined
  const named = schema.additionalProperties
  return [
    ...(schema.properties === undefined ? [] : [{ path, schema }]),
    ...(item?.properties === undefined ? [] : [{ path: `${path}[]`, schema: item }]),
    ...(typeof named === 'object' && named.properties !== undefined ? [{ path: `${path}.NAME`, schema: named }] : []),
  ]
}

function typeText(schema: Schema): string {
  if (schema.const !== undefined) return code(schema.const)
  if (schema.enum !== undefined) return schema.enum.map((value) => code(value)).join(' or ')
  if (schema.anyOf !== undefined) return schema.anyOf.map((part) => typeText(part)).join(' or ')
  if (schema.type === 'array') {
    const item = schema.items as Schema
    return item.enum === undefined ? `list of ${plural(item)}` : `list of: ${typeText(item)}`
  }
  if (schema.type === 'object') return schema.properties === undefined ? 'names and values' : 'mapping'
  if (schema.type === 'string') return schema.format === 'uri' ? 'address' : 'text'
  return schema.type === 'boolean' ? '`true` or `false`' : String(schema.type)
}

function plural(schema: Schema): string {
  return schema.type === 'object' ? 'mappings' : 'texts'
}

function defaultText({ default: value }: Schema): string {
  if (value === undefined) return '–'
  return JSON.stringify(value) === '{}' ? 'none' : code(value)
}

function code(value: unknown): string {
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``
}

/** A bar would end the cell. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`
}
