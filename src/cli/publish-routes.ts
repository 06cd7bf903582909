/** `pitlane publish …`: the parts of a release by hand. Each also has the name of the shell function that it takes the place of. */
import { buildCommand, buildRouteMap } from '@stricli/core'
import type { Context } from './context.ts'
import type { BinaryFlags } from './commands/publish-binary.ts'
import type { ImageFlags } from './commands/publish-image.ts'
import type { MultiarchFlags } from './commands/publish-multiarch.ts'
import type { RebuildFlags } from './commands/pages.ts'
import type { SiteFlags } from './commands/publish-site.ts'
import {
  binaryArgument,
  dryRun,
  folderArgument,
  json,
  madeVersionFlag,
  noWait,
  platformFlag,
  takeTags,
  targetFlag,
  textFlag,
  versionFlag,
  without,
  yes,
} from './parameters.ts'

const noCheck = {
  kind: 'boolean',
  brief: 'Take the file as it is; what is published says that it was not checked',
  default: false,
  withNegated: false,
} as const

const version = madeVersionFlag(
  'The version (default: DRONE_TAG, CI_COMMIT_TAG; without a tag DRONE_COMMIT, CI_COMMIT_SHA)',
)

const binary = buildCommand<BinaryFlags, [string?], Context>({
  loader: async () => (await import('./commands/publish-binary.ts')).binary,
  docs: {
    brief: 'Put one binary where a release has it (to_s3)',
    fullDescription: [
      'Puts the binary of one target with its checksum and signature, and lists the version as made by hand: tests not run, perhaps not all targets. A target more makes the next revision of its release document. What `pitlane release` made is never extended.',
      'FILE is by default what `release.build.binary` names. A version that is no tag is made of HEAD, or where a variable names it, of CI_COMMIT_SHA or DRONE_COMMIT.',
    ].join('\n'),
  },
  parameters: {
    flags: { target: targetFlag('The target (default: TARGET)'), version, noCheck, noWait, json },
    positional: binaryArgument,
  },
})

const image = buildCommand<ImageFlags, [string?], Context>({
  loader: async () => (await import('./commands/publish-image.ts')).image,
  docs: {
    brief: "Push the image of one platform to the platform's repository (to_docker)",
    fullDescription:
      'Builds the image from the binary exactly as a release does, without Docker, and pushes it. Logins are those of docker login, or DOCKER_AUTH. A tag that names another image is not moved.',
  },
  parameters: {
    flags: {
      platform: platformFlag('The platform (default: DOCKER_PLATFORM, or that of TARGET)'),
      name: textFlag('REPOSITORY', "Where to (default: CONTAINER_NAME, or the platform's own repository)"),
      tag: textFlag('TAG', 'Under which tag (default: CONTAINER_TAG, or the version)'),
      version,
      noCheck,
      noWait,
      json,
    },
    positional: binaryArgument,
  },
})

const multiarch = buildCommand<MultiarchFlags, [], Context>({
  loader: async () => (await import('./commands/publish-multiarch.ts')).multiarch,
  docs: {
    brief: 'Push the multi-platform image over those of the platforms (multiarch_docker)',
    fullDescription:
      'Finds the images of all platforms under the tag, checks that each is for its platform, and pushes an index that names them by digest. Says which are missing. A release that was made by hand then names it, if the signing key is there.',
  },
  parameters: {
    flags: {
      tag: textFlag('TAG', 'Of the images and of the index (default: CONTAINER_TAG, or the version)'),
      version,
      partial: {
        kind: 'boolean',
        brief: 'Also when images are missing; the tag stays without them: adding one takes a new version',
        default: false,
        withNegated: false,
      },
      takeTags,
      noWait,
      json,
    },
  },
})

const site = buildCommand<SiteFlags, [string], Context>({
  loader: async () => (await import('./commands/publish-site.ts')).site,
  docs: {
    brief: 'Put a folder as the documentation site',
    fullDescription: [
      'Puts the files of a finished site as a release puts its documentation: only what changed, what pages name first, the first page last. What the folder has no more stays for a grace time. Where it goes is `release.documentation.path` in pitlane.yaml, else docs/.',
      'With --version it is the documentation of that release; one that a release has built itself is not replaced by another under its version.',
    ].join('\n'),
  },
  parameters: {
    flags: { version: versionFlag('The release that it is of (default: of none)'), dryRun, noWait, json },
    positional: folderArgument,
  },
})

const index = buildCommand<RebuildFlags, [], Context>({
  loader: async () => (await import('./commands/pages.ts')).index,
  docs: {
    brief: 'Put page, lists, feeds and pointers (refresh_index)',
    fullDescription:
      'Puts page, lists, feeds and pointers as the release documents in the bucket say, as `pitlane pages rebuild` does.',
  },
  parameters: { flags: { without, yes: { ...yes, brief: 'With --without: do not ask' }, takeTags, noWait, json } },
})

export const publish = buildRouteMap({
  routes: { binary, image, multiarch, site, index },
  docs: {
    brief: 'Publish one part of a release by hand',
    fullDescription: [
      'Publish one part of a release by hand, for debugging, or from a pipeline that did it with shell functions.',
      'Each does nothing where it is done already, and refuses other bytes under a name that is taken.',
    ].join('\n'),
  },
})

/** Not in the help: who knows them has them in a pipeline. */
export const oldNames = { to_s3: binary, to_docker: image, multiarch_docker: multiarch, refresh_index: index }
