/** The tree of commands: names, flags and help. What a command does is loaded when it is called. */
import { buildApplication, buildCommand, buildRouteMap } from '@stricli/core'
import type { AdoptFlags } from './commands/adopt.ts'
import type { RebuildFlags } from './commands/pages.ts'
import type { AuditFlags } from './commands/audit.ts'
import type { ServeFlags } from './commands/serve.ts'
import type { ReleaseFlags } from './commands/release.ts'
import type { Context } from './context.ts'
import {
  channelArgument,
  dryRun,
  fileFlag,
  jobs,
  json,
  noWait,
  requiredFileFlag,
  revision,
  revisionFlag,
  shell,
  takeTags,
  textFlag,
  versionArgument,
  versionFlag,
  withdrawnArgument,
  words,
  yes,
  without,
} from './parameters.ts'
import { build, log, repo } from './remote-routes.ts'
import { oldNames, publish } from './publish-routes.ts'
import { usageTexts } from './usage-errors.ts'

const init = buildCommand<{ force: boolean; json: boolean }, [], Context>({
  loader: async () => (await import('./commands/init.ts')).init,
  docs: {
    brief: 'Write a pitlane.yaml for this repository',
    fullDescription:
      'Looks at the repository (Cargo, Go, Zig, Makefile, npm) and writes a commented pitlane.yaml. What it could not guess is said, and marked in the file.',
  },
  parameters: {
    flags: {
      force: { kind: 'boolean', brief: 'Replace an existing pitlane.yaml', default: false, withNegated: false },
      json,
    },
  },
})

const plan = buildCommand<{ diff?: string; json: boolean }, [string?], Context>({
  loader: async () => (await import('./commands/plan.ts')).plan,
  docs: {
    brief: 'Show what a build and its release would do',
    fullDescription:
      'Prints stages, steps, targets, outputs and where everything would be published. Nothing is run and nothing is stored. The id depends on the commit, the tag and pitlane.yaml alone.',
  },
  parameters: {
    flags: {
      diff: revisionFlag('Compare: what changes from REV to the revision that is planned (or HEAD)'),
      json,
    },
    positional: revision,
  },
})

const run = buildCommand<{ jobs?: number; noWait: boolean; json: boolean }, [string?], Context>({
  loader: async () => (await import('./commands/run.ts')).run,
  docs: {
    brief: 'Run the checks of a commit',
    fullDescription:
      'Runs the checks in a clean checkout of the commit: that is a build, with a number and a stored outcome. A build that was cut off goes on where it was.',
  },
  parameters: { flags: { jobs, noWait, json }, positional: revision },
})

const release = buildCommand<ReleaseFlags, [string?], Context>({
  loader: async () => (await import('./commands/release.ts')).release,
  docs: {
    brief: 'Build, test, sign and publish a commit',
    fullDescription:
      'Runs the checks unless the commit has a green build, builds and tests every target, signs and publishes. A commit without a tag is a development release. After a crash the same command goes on where it was. With --start-over, what an earlier try left of a version that never became visible is removed first: it is shown, and you are asked.',
  },
  parameters: {
    flags: {
      jobs,
      noWait,
      reason: textFlag('TEXT', 'Why it is released; stored with the promotion'),
      takeTags,
      startOver: {
        kind: 'boolean',
        brief: 'Begin anew with a version that never became visible',
        default: false,
        withNegated: false,
      },
      dryRun: { ...dryRun, brief: 'With --start-over: only say what would be removed' },
      yes: { kind: 'boolean', brief: 'With --start-over: do not ask', default: false, withNegated: false },
      json,
    },
    positional: revision,
  },
})

const serve = buildCommand<ServeFlags, [], Context>({
  loader: async () => (await import('./commands/serve.ts')).serve,
  docs: {
    brief: 'Check every push of a folder of repositories, and show it',
    fullDescription:
      'Listens on this machine, keeps everything in one folder, and says where to go. What is pushed to a repository that is enabled is checked as `pitlane run` does it; a server that was cut off goes on where it was.',
  },
  parameters: {
    flags: {
      data: fileFlag('FOLDER', 'Where everything is kept (default: pitlane below XDG_STATE_HOME or ~/.local/state)'),
      listen: textFlag('ADDRESS', 'Where to listen (default: 127.0.0.1:8000)'),
      jobs: { ...jobs, brief: 'How many builds run at once (default: the number of processors)' },
    },
  },
})

const releases = buildRouteMap({
  routes: {
    list: buildCommand<{ json: boolean }, [], Context>({
      loader: async () => (await import('./commands/releases.ts')).list,
      docs: { brief: 'List what is published, the latest first' },
      parameters: { flags: { json } },
    }),
    show: buildCommand<{ json: boolean }, [string], Context>({
      loader: async () => (await import('./commands/releases.ts')).show,
      docs: { brief: 'Show one release' },
      parameters: {
        flags: { json },
        positional: versionArgument,
      },
    }),
    withdraw: buildCommand<
      { reason?: string; supersededBy?: string; amend: boolean; dryRun: boolean; noWait: boolean; json: boolean },
      [string],
      Context
    >({
      loader: async () => (await import('./commands/withdraw.ts')).withdraw,
      docs: {
        brief: 'Say that a release is not to be used',
        fullDescription:
          'Writes a signed document beside the release that says since when, why, and what to use instead. Pointers go to the newest release that is left; page, lists, feeds and install.sh follow. Nothing is deleted: whoever names the version still gets it, with a warning. After a crash the same command goes on where it was.',
      },
      parameters: {
        flags: {
          reason: textFlag('TEXT', 'Why: one line, for everybody to read'),
          supersededBy: versionFlag('What to use instead'),
          amend: {
            kind: 'boolean',
            brief: 'Give another reason to a release that is withdrawn',
            default: false,
            withNegated: false,
          },
          dryRun,
          noWait,
          json,
        },
        positional: versionArgument,
      },
    }),
    restore: buildCommand<{ reason?: string; dryRun: boolean; noWait: boolean; json: boolean }, [string], Context>({
      loader: async () => (await import('./commands/withdraw.ts')).restore,
      docs: {
        brief: 'Put a release back that was withdrawn',
        fullDescription:
          'Writes the next state of the release: published again, since when and why. Pointers, page, lists, feeds and install.sh follow.',
      },
      parameters: {
        flags: { reason: textFlag('TEXT', 'Why: one line, for everybody to read'), dryRun, noWait, json },
        positional: withdrawnArgument,
      },
    }),
    rollback: buildCommand<
      { reason?: string; yes: boolean; dryRun: boolean; noWait: boolean; json: boolean },
      [string],
      Context
    >({
      loader: async () => (await import('./commands/withdraw.ts')).rollback,
      docs: {
        brief: 'Go back to the previous good release of a channel',
        fullDescription:
          'Withdraws the newest release of the channel in favour of the one before it, in one step: shows what changes, and asks. One that was cut off is ended, and not begun a second time.',
      },
      parameters: {
        flags: {
          reason: textFlag('TEXT', 'Why (default: that it was rolled back, and to what)'),
          yes,
          dryRun,
          noWait,
          json,
        },
        positional: channelArgument,
      },
    }),
  },
  docs: { brief: 'Look at published releases, withdraw one, or go back to the one before' },
})

const verify = buildCommand<
  { from: string; key?: string; registry?: string; noImages: boolean; unsigned: boolean; json: boolean },
  [string],
  Context
>({
  loader: async () => (await import('./commands/verify.ts')).verify,
  docs: {
    brief: 'Verify a published release, trusting nothing but the key',
    fullDescription:
      'Checks signatures, the size and digest of every file, the images down to the bytes of the binary inside, that page, lists, feeds, pointers, install.sh and the key beside them are the ones that the signed index names, and that they say what the release document says.',
  },
  parameters: {
    flags: {
      from: requiredFileFlag('FOLDER|URL', 'Folder or address of the bucket'),
      key: fileFlag('FILE|KEY', 'Public key: a file, or its text (RW…)'),
      registry: fileFlag('PLACE', 'Registry, or folder of the image layout (default: where the release says)'),
      noImages: { kind: 'boolean', brief: 'Leave the images out', default: false, withNegated: false },
      unsigned: {
        kind: 'boolean',
        brief: 'Accept a release that says it is not signed',
        default: false,
        withNegated: false,
      },
      json,
    },
    positional: versionArgument,
  },
})

const doctor = buildCommand<{ json: boolean }, [], Context>({
  loader: async () => (await import('./commands/doctor.ts')).doctor,
  docs: {
    brief: 'Find out whether this machine can release, and what its stores can do',
    fullDescription:
      'Tries what a release needs: isolation, emulators, the key, and in bucket and registry the right to reach, write, read back, list and delete, with names of its own that it removes again. Exits with 1 when something has to be mended.',
  },
  parameters: { flags: { json } },
})

const pages = buildRouteMap({
  routes: {
    rebuild: buildCommand<RebuildFlags & { check: boolean }, [], Context>({
      loader: async () => (await import('./commands/pages.ts')).rebuild,
      docs: {
        brief: 'Compute page, lists, feeds and pointers again from the documents in the bucket',
        fullDescription:
          'Writes only what differs, and moves image tags that move on to where the documents say. A release that readers are shown and whose document is lost stops it. With --check it writes nothing, and exits with 1 when something differs.',
      },
      parameters: {
        flags: {
          check: { kind: 'boolean', brief: 'Only say what differs', default: false, withNegated: false },
          without,
          yes: { ...yes, brief: 'With --without: do not ask' },
          takeTags,
          noWait,
          json,
        },
      },
    }),
  },
  docs: { brief: 'Look after the release page' },
})

const adopt = buildCommand<AdoptFlags, [], Context>({
  loader: async () => (await import('./commands/adopt.ts')).adopt,
  docs: {
    brief: 'Give every version that older scripts have put into the bucket its document',
    fullDescription: [
      'Finds what lies at _releases/VERSION/TARGET/BINARY without a document, shows what would be adopted and what is skipped, and asks. Each version gets a signed document that says: there before Pitlane, neither built, tested nor signed by it. Page, lists, feeds and pointers then have it, with the dates and sizes that the bucket tells. Nothing is moved, nothing is written over, and what has a document is left alone.',
      '',
      'Without --digest no file is read: digests are unknown, and install.sh and `pitlane verify` refuse such a version. With it every file is read, also of what was adopted before. After a crash the same command goes on where it was. Exits with 1 when a version was refused.',
    ].join('\n'),
  },
  parameters: {
    flags: {
      digest: {
        kind: 'boolean',
        brief: 'Read every file and publish its digest',
        default: false,
        withNegated: false,
      },
      dryRun,
      yes,
      noWait,
      json,
    },
  },
})

const audit = buildCommand<AuditFlags, [], Context>({
  loader: async () => (await import('./commands/audit.ts')).audit,
  docs: {
    brief: 'Hold bucket, registry and public address against the documents',
    fullDescription: [
      'Prints a line for everything that differs, and nothing where all is equal: documents, signatures, files and their sizes, images by digest, tags, page, lists and pointers, what the public address serves, and objects and tags that no document names. Changes nothing, and needs no more than the right to read and list.',
      '',
      'Exits with 0 when all is equal, 1 when something differs, 4 when something could not be looked at.',
    ].join('\n'),
  },
  parameters: {
    flags: {
      digest: {
        kind: 'boolean',
        brief: 'Read every file and image layer, too',
        default: false,
        withNegated: false,
      },
      key: fileFlag('FILE|KEY', 'Public key, where the signing key is not at hand: a file, or its text (RW…)'),
      public: textFlag('URL', 'Where the bucket is served (default: publish.public, of a bucket on a server)'),
      noWait,
      json,
    },
  },
})

const retention = buildRouteMap({
  routes: {
    plan: buildCommand<{ noWait: boolean; json: boolean }, [], Context>({
      loader: async () => (await import('./commands/retention.ts')).plan,
      docs: {
        brief: 'Show what would be removed, why, and how many bytes that is',
        fullDescription:
          'Goes by `retention:` in the committed pitlane.yaml. Says of each version which rule keeps it, or why it goes and since when. Changes nothing.',
      },
      parameters: { flags: { noWait, json } },
    }),
    apply: buildCommand<{ noWait: boolean; json: boolean }, [], Context>({
      loader: async () => (await import('./commands/retention.ts')).apply,
      docs: {
        brief: 'Take old versions off the lists, and remove what left them a grace time ago',
        fullDescription: [
          'Shows the plan and carries it out. A version leaves page, lists and feeds first, and is marked as retired; its tags, manifests and files go once the grace time is over and the command is run again. Until then a pin brings it back.',
          '',
          'The newest version of a line, what a pointer names, pins and channels without a policy are never touched. After a crash the same command goes on where it was.',
        ].join('\n'),
      },
      parameters: { flags: { noWait, json } },
    }),
  },
  docs: { brief: 'Remove old versions, by a policy' },
})

const key = buildRouteMap({
  routes: {
    generate: buildCommand<{ output?: string; json: boolean }, [], Context>({
      loader: async () => (await import('./commands/key.ts')).generate,
      docs: {
        brief: 'Make the key that signs releases',
        fullDescription:
          'Writes a new Ed25519 key in the format of minisign, without a password, readable by you alone. Never overwrites one.',
      },
      parameters: {
        flags: {
          output: fileFlag('FILE', 'Where to write it (default: in your configuration folder)'),
          json,
        },
      },
    }),
    show: buildCommand<{ pem: boolean; json: boolean }, [], Context>({
      loader: async () => (await import('./commands/key.ts')).show,
      docs: { brief: 'Print the public key that verifies your releases' },
      parameters: {
        flags: {
          pem: { kind: 'boolean', brief: 'As PEM, for openssl and cosign', default: false, withNegated: false },
          json,
        },
      },
    }),
  },
  docs: { brief: 'The key that signs releases' },
})

const completion = buildCommand<NonNullable<unknown>, ['bash' | 'zsh' | 'fish'], Context>({
  loader: async () => (await import('./commands/completion.ts')).completion,
  docs: {
    brief: 'Print a completion script for your shell',
    fullDescription: [
      'For bash and zsh: `source <(pitlane completion bash)`, with the name of the shell; in zsh after `compinit`.',
      'For fish: `pitlane completion fish | source`.',
    ].join('\n'),
  },
  parameters: {
    positional: shell,
  },
})

/** Called by the completion scripts: the words of the command line so far; prints what may come next. */
const complete = buildCommand<NonNullable<unknown>, string[], Context>({
  loader: async () => (await import('./commands/completion.ts')).complete,
  docs: { brief: 'Propose completions' },
  parameters: {
    positional: words,
  },
})

/** @param tell is told of each command line that is not understood */
export function buildApp(version: string, tell: (error: unknown) => void = () => {}) {
  return buildApplication<Context>(
    buildRouteMap({
      routes: {
        init,
        plan,
        run,
        release,
        serve,
        repo,
        build,
        log,
        releases,
        verify,
        publish,
        pages,
        retention,
        adopt,
        audit,
        key,
        doctor,
        completion,
        complete,
        ...oldNames,
      },
      docs: {
        brief: 'From a commit to a tested, signed, published release',
        hideRoute: { complete: true, to_s3: true, to_docker: true, multiarch_docker: true, refresh_index: true },
        fullDescription: [
          'From a commit to a tested, signed, published release.',
          '',
          'Exit codes: 0 done · 1 a check, build or test failed, or a difference was found · 2 wrong input · 3 refused',
          '4 the machine or a peer failed · 5 another process is at work · 70 a defect in Pitlane · 130 stopped by you',
        ].join('\n'),
      },
    }),
    {
      name: 'pitlane',
      versionInfo: { currentVersion: version },
      scanner: {
        caseStyle: 'allow-kebab-for-camel',
        allowArgumentEscapeSequence: true,
        // Below the parser's own 7, at which any word of three letters is like any other.
        distanceOptions: { threshold: 4, weights: { insertion: 1, deletion: 3, substitution: 2, transposition: 0 } },
      },
      localization: { text: usageTexts(tell) },
      documentation: { caseStyle: 'convert-camel-to-kebab', disableAnsiColor: true },
    },
  )
}
