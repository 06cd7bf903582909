/** For `pitlane init`: a first `pitlane.yaml`, made from the files that are there. Pure. */
import { type Ecosystem, type RepositoryFiles, fileName, recognise } from './ecosystems.ts'
import { TARGETS } from './targets.ts'

export interface Guess {
  /** A whole `pitlane.yaml`, with comments; it always parses. */
  readonly text: string
  /** Which kind of project it was taken for, as people call it. */
  readonly kind: string
  /** What the person has to look at, in sentences; the same stand in the file. */
  readonly open: readonly string[]
  /** The folder that a release is written to, beside the file; null without a release. */
  readonly bucket: string | null
}

const BUCKET = 'bucket'

const NOTHING: Ecosystem = {
  title: 'no kind of project that Pitlane knows',
  name: null,
  // Fails until somebody writes the real one: a check that always passes would prove nothing.
  checks: [{ name: 'todo', run: "echo 'pitlane.yaml: write the first check here' >&2; exit 1" }],
  build: null,
  everyTarget: false,
  unknown: [
    'How the project is checked and built: there is no Cargo.toml, go.mod, build.zig, package.json or Makefile.',
  ],
}

/** `folder` is the name of the repository's folder: it becomes the name of a project that has told no other. */
export function guessConfiguration(repository: { readonly folder: string; readonly files: RepositoryFiles }): Guess {
  const folder = fileName(repository.folder)
  const ecosystem = recognise(repository.files, folder) ?? NOTHING
  const name = fileName(ecosystem.name ?? folder)
  const open = [
    ...ecosystem.unknown,
    ...(ecosystem.build ? ['How the built binary is tested before it is published.'] : []),
  ]
  const text = [
    `# What this project checks, builds and publishes with Pitlane. Written by \`pitlane init\` for: ${ecosystem.title}.`,
    '# Look at what it will do with `pitlane plan`; every key is described in docs/reference/pitlane-yaml.md of Pitlane.',
    ...(open.length > 0 ? ['#', '# Not known, please look at it:', ...open.map((sentence) => `# - ${sentence}`)] : []),
    '',
    `name: ${scalar(name)}`,
    '',
    '# Every commit has to pass these, one after the other. `after: [name]` lets others start earlier.',
    'checks:',
    ...ecosystem.checks.flatMap((check) => [`  - name: ${scalar(check.name)}`, `    run: ${scalar(check.run)}`]),
    '',
    ...releaseLines(ecosystem, name),
  ]
  const bucket = ecosystem.build === null ? null : BUCKET
  return { text: `${text.join('\n')}\n`, kind: ecosystem.title, open, bucket }
}

function releaseLines({ build, everyTarget }: Ecosystem, name: string): readonly string[] {
  if (build === null) {
    return [
      '# A release publishes static binaries. When there is something to build, say how:',
      '# release:',
      '#   targets: [x86_64-unknown-linux-musl]',
      '#   build:',
      '#     run: ./build.sh "$TARGET"',
      `#     binary: out/${name}`,
      '# publish:',
      `#   bucket: ${BUCKET}`,
    ]
  }
  const targets = TARGETS.map(({ triple, label }, index) => {
    const comment = everyTarget || index === 0 ? '' : '# '
    return `    ${comment}- ${triple}  # ${label}`
  })
  return [
    'release:',
    '  targets:',
    ...targets,
    '  # Runs once for each target, and gets TARGET, ARCH, VERSION, CHANNEL, COMMIT and SOURCE_DATE_EPOCH.',
    '  build:',
    '    run: |',
    ...build.run.split('\n').map((line) => `      ${line}`),
    `    binary: ${scalar(build.binary)}`,
    '  # Every binary is refused that is not statically linked. `false` allows others.',
    '  static: true',
    '  # Tests exactly the binary that will be published; $BINARY runs it, also for another architecture.',
    '  # test:',
    '  #   run: $BINARY --version',
    '  # An image with the binary and nothing else; it needs `registry` below.',
    '  # image:',
    `  #   name: example/${name
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^-|-$/g, '')}`,
    `  #   command: [/${build.binary.split('/').at(-1)}]`,
    '',
    '# Folders, beside this file; a release writes them. Put them into .gitignore. Lists and install.sh name what `public` says.',
    'publish:',
    `  bucket: ${BUCKET}`,
    '  # registry: images',
    '  # public: https://downloads.example.org',
  ]
}

/** The text as a YAML scalar that is read as a text again. */
function scalar(text: string): string {
  const plain =
    /^[A-Za-z./][A-Za-z0-9 ._/$-]*[A-Za-z0-9._/-]$/.test(text) && !/^(?:true|false|null|[.]?(?:nan|inf))$/i.test(text)
  return plain ? text : `'${text.replaceAll("'", "''")}'`
}
