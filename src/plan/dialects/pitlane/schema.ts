/**
 * `pitlane.yaml`, format of this version. What a single value may be stands here, and from here come the JSON Schema and
 * `docs/reference/pitlane-yaml.md`; what values mean together is checked in `rules.ts`. Keys of later versions come with their
 * features: every key that is not here is an error.
 *
 * The description of each key is documentation for people; `expected` is what an error says instead of zod's own words.
 */
import { z } from 'zod'
import { DAYS, DEFAULT_TIMEOUT, DURATION } from '../../duration.ts'
import { PATTERN_LIMIT } from '../../pattern.ts'
import { DEFAULT_GRACE } from '../../retention.ts'
import { DEFAULT_DOCUMENTATION } from '../../documentation.ts'
import { TARGETS } from '../../targets.ts'

/** A text that matches a pattern; when it does not, the error says what was expected. */
function text(pattern: RegExp, expected: string) {
  // Where quotes alone would not make it fit, they are not what it lacks.
  const instead = ({ input }: { input?: unknown }) =>
    typeof input === 'number' && !pattern.test(String(input)) ? expected : undefined
  return z.string({ error: instead }).regex(pattern, { error: expected })
}

const command = text(/\S/, 'a shell command')
  .max(65_536)
  .describe('POSIX shell text, run with `sh -e` in a clean checkout of the commit.')
const timeout = text(DURATION, 'a duration such as 30s, 10m or 2h')
  .default(DEFAULT_TIMEOUT)
  .describe('How long it may run before it is stopped, as in `30s`, `10m` or `2h`; at most `24h`.')
const variable = text(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'a variable name of letters, digits and _')
const value = text(/^[^\0]*$/, 'a text without NUL').max(32_768)
const environment = z.record(variable, value).default({})
const checkName = text(
  /^[a-z0-9][a-z0-9_-]{0,63}$/,
  'a name of a-z, 0-9, - and _ that begins with a letter or digit (at most 64)',
)
const triple = z.enum(TARGETS.map((target) => target.triple)).describe('A target triple.')
const location = text(/^[^\0]+$/, 'a folder or an address').max(4096)
const targets = z.array(triple).min(1)
const days = text(DAYS, 'a number of days such as 90d, at least 1d')

const Check = z.strictObject({
  name: checkName.describe('Name of the check, unique in the file.'),
  run: command,
  after: z
    .array(checkName)
    .optional()
    .describe(
      'Checks that must have passed before this one starts. As soon as one check has `after`, every check without it starts at once; while none has, they run one after the other as declared.',
    ),
  timeout,
  env: environment.describe('Variables for this check, beside the ones for all.'),
})

const Build = z.strictObject({
  run: command.describe(
    'Builds one target; run once for each. Gets `VERSION`, `TARGET`, `ARCH`, `CHANNEL`, `COMMIT` and `SOURCE_DATE_EPOCH`.',
  ),
  binary: text(/^[^\0\n\r]+$/, 'the path of the built file')
    .max(1024)
    .describe(
      'Where the build leaves the binary, relative to the top of the repository. May contain the variables of `run`, as in `target/$TARGET/release/tool`. Its last part is the name people download.',
    ),
  timeout,
  env: environment.describe('Variables for the build, beside the ones for all.'),
})

const Test = z.strictObject({
  run: command.describe(
    'Tests the binary exactly as it will be published: run it through `$BINARY` (which may start an emulator); `BINARY_SHA256` is its digest. Run once for each target.',
  ),
  targets: z
    .union([z.literal('all'), targets], { error: '"all" or a list of targets' })
    .optional()
    .describe(
      'Targets whose test must have run and passed before anything is published. The others are tried where the machine can run them: a failed test always stops the release, and one that could not run is written in the release as not run. Default: no target must.',
    ),
  timeout,
  env: environment.describe('Variables for the test, beside the ones for all.'),
})

const Image = z.strictObject({
  name: text(
    /^(?=.{1,200}$)[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$/,
    'an image name of lower-case letters, digits and . _ - with / between its parts',
  ).describe(
    'Repository of the image, as in `example/tool`. Each platform also gets its own, as in `example/amd64_tool`.',
  ),
  platforms: text(/^[^\0\s]+$/, 'a name with {platform} in it')
    .max(200)
    .optional()
    .describe(
      'Names the repositories of the platforms: `{platform}` becomes `amd64`, `386`, `arm64` or `arm`. Without `/` it stands beside `name` (`{platform}_tool` is `example/amd64_tool`); with `/` it is the whole name (`{platform}/tool`). Default: `{platform}_` in front of the last part of `name`.',
    ),
  format: z
    .enum(['oci', 'docker'])
    .default('oci')
    .describe(
      'Media types of what is pushed: OCI’s, or those of Docker’s schema 2 for registries and clients that know no others. Another format is another digest.',
    ),
  floating: z
    .array(text(/^[^\0\s]+$/, 'an image tag such as latest or {major}'))
    .max(20)
    .default([])
    .describe(
      'Tags of the multi-platform image that move on from one stable version to the next, as in `[latest, "{major}", "{major}.{minor}"]`; also `{patch}`. They follow withdrawals, like `latest` does.',
    ),
  command: z
    .array(value)
    .min(1)
    .describe(
      'What the container runs; the binary lies at `/`, as in `[/tool, server]`. Nothing else is in the image.',
    ),
  env: environment.describe('Variables in the image.'),
  labels: z
    .record(text(/^[^\0\s]{1,256}$/, 'a label name without spaces'), value)
    .default({})
    .describe('Labels of the image; the standard ones for version, commit, date and title are set unless given here.'),
})

const Documentation = z.strictObject({
  run: command
    .optional()
    .describe(
      'Builds the documentation, in a stage of its own. Gets `VERSION`, `CHANNEL`, `COMMIT`, `SOURCE_DATE_EPOCH`, `RELEASES_PAGE` (the release page) and `DOCUMENTATION_URL` (where the newest documentation will be). Without it the site is built elsewhere, and `pitlane publish site` puts it.',
    ),
  folder: text(/^[^\0\n\r]+$/, 'the path of a folder')
    .max(1024)
    .optional()
    .describe(
      'The folder that `run` leaves, relative to the top of the repository. Its top holds an `index.html`. Given exactly when `run` is.',
    ),
  path: text(
    /^(\/|(?=.{1,200}$)[A-Za-z0-9][A-Za-z0-9.+_-]*(\/[A-Za-z0-9][A-Za-z0-9.+_-]*)*\/?)$/,
    'a folder of the bucket such as docs/ (of letters, digits and . _ + -, each part beginning with a letter or digit), or / for its top',
  )
    .default(DEFAULT_DOCUMENTATION.path)
    .describe('Where in the bucket the documentation lies; `/` is its top.'),
  channel: text(/^[a-z][a-z0-9-]{0,31}$/, 'the name of a channel')
    .default(DEFAULT_DOCUMENTATION.channel)
    .describe('The channel whose newest release the documentation at `path` is of.'),
  versions: z
    .boolean()
    .default(false)
    .describe(
      'Whether each release with a tag also keeps its documentation under its version, as in `docs/v1.2.0/`. Only then the documentation can follow when a release is withdrawn.',
    ),
  grace: days
    .default(DEFAULT_DOCUMENTATION.grace)
    .describe('How long files stay that the documentation has no more, for readers of a page from before.'),
  timeout,
  env: environment.describe('Variables for `run`, beside the ones for all.'),
})

const Release = z.strictObject({
  targets: targets.describe('What to build for, in the order the page shows.'),
  build: Build.describe('How one target is built.'),
  static: z
    .boolean()
    .default(true)
    .describe(
      'Whether every binary must be statically linked: no interpreter, no needed library. Checked in the file itself.',
    ),
  test: Test.optional().describe('How the built binary is tested. Without it the page says that there was no test.'),
  image: Image.optional().describe(
    'A container image with the binary and nothing else, for every target. Without it there is none.',
  ),
  documentation: Documentation.optional().describe(
    'The documentation site, published with the release. Without it there is none.',
  ),
  sign: z
    .enum(['minisign', 'none'])
    .default('minisign')
    .describe('`none` publishes without signatures, and the page says so.'),
})

const Publish = z.strictObject({
  bucket: location.describe(
    'Bucket on an S3 server, as `s3://BUCKET/PREFIX?endpoint=https://…&region=…&style=path|host&ca=FILE`; its credentials are found as the AWS tools find them. Or a folder that becomes exactly what a bucket or web server holds; relative to the project, or absolute.',
  ),
  registry: location
    .optional()
    .describe(
      'Registry for the image, as `docker.io` or `registry.example.org:5000/team`; its credentials are those of `docker login`, or `DOCKER_AUTH`. Or a folder that becomes an OCI image layout (with `./` in front when its name has a dot). Needed exactly when there is an image.',
    ),
  public: z
    .url({ protocol: /^(https?|file)$/, error: 'an http, https or file address' })
    .optional()
    .describe(
      'Address under which people read the bucket; needed with an S3 bucket. Without it, links on the page are relative, and `index.json`, `_releases.json`, feeds and `install.sh` name the folder on this machine.',
    ),
})

const Channel = z.strictObject({
  tag: text(/^/, 'a pattern')
    .max(PATTERN_LIMIT)
    .describe(
      'Regular expression for the whole tag name: characters, `\\.`, `\\d`, `.`, `[a-z]`, `(a|b)`, `*`, `+`, `?` and `{1,3}`.',
    ),
})

const ChannelPolicy = z
  .strictObject({
    keep: z.int().min(1).max(1_000_000).optional().describe('How many of its newest versions stay.'),
    for: days.optional().describe('How long a version stays after it was published, as in `90d`.'),
  })
  .describe('The policy of one channel: `keep`, `for`, or both; what either of them keeps stays.')

const Retention = z
  .strictObject({
    pins: z
      .array(text(/^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$/, 'the name of a version'))
      .max(10_000)
      .default([])
      .describe('Versions that stay, whatever the policy says; one that was retired and is still there comes back.'),
    grace: days
      .default(DEFAULT_GRACE)
      .describe('How long files and images stay after their version has left page, lists and feeds.'),
  })
  .catchall(ChannelPolicy)

export const PitlaneFile = z
  .strictObject({
    name: text(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'a name of letters, digits and . _ - (at most 64)').describe(
      'Name of the project.',
    ),
    channels: z
      .record(text(/^[a-z][a-z0-9-]{0,31}$/, 'a channel name of a-z, 0-9 and - (at most 32)'), Channel)
      .optional()
      .describe(
        'Channels for tags; the first whose pattern matches wins. Default: `stable` for `v1.2.3`, `extra` for any other tag. A commit without a tag is always in `development`.',
      ),
    env: environment.describe('Variables for every check, build and test.'),
    checks: z.array(Check).min(1).max(1000).describe('What every commit has to pass.'),
    release: Release.optional().describe('What a release consists of. Without it there are only checks.'),
    publish: Publish.optional().describe('Where releases go. Needed exactly when there is a release.'),
    retention: Retention.optional().describe(
      'What `pitlane retention` may remove again, by channel. A channel without a policy is never touched, and neither is the newest version of a line (`1.2`), what a pointer names, or a pin.',
    ),
  })
  .meta({
    title: 'pitlane.yaml',
    description: 'What a project checks, builds, tests and publishes with Pitlane.',
  })
export type PitlaneFile = z.output<typeof PitlaneFile>
