// How long a person waits for the help, against a Node that does nothing: whole processes, the compile cache warm.
import { compare, pitlane, wholeProcess } from './measure.ts'

const env = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' }

await compare(
  [
    {
      what: 'pitlane --help / node -e 0',
      ours: () => pitlane(['--help'], { env }),
      peer: () => wholeProcess(process.execPath, ['-e', '0'], { env }),
      bound: 2,
    },
  ],
  21,
)
