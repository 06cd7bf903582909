import { publicName } from '../../event/promotion.ts'
import { byHandRemarks, handMadeFile } from '../../release/by-hand/by-hand.ts'
import { publishBinary } from '../../release/by-hand/publish-binary.ts'
import { findTarget, TARGETS } from '../../plan/targets.ts'
import { PitlaneError } from '../../errors.ts'
import { binaryOf, notesOf, planByHand, plannedOutput } from '../by-hand.ts'
import { guard, printJson, tidyUp, withState } from '../command.ts'
import type { Context } from '../context.ts'
import { askedTarget, askedVersion, noVersion } from '../old-variables.ts'
import { formatBytes } from '../amounts.ts'
import { publishing } from '../publishing.ts'

export interface BinaryFlags {
  readonly target?: string
  readonly version?: string
  readonly noCheck: boolean
  readonly noWait: boolean
  readonly json: boolean
}

export async function binary(this: Context, flags: BinaryFlags, file?: string): Promise<void> {
  await guard(this, flags.json, async () => {
    const said = askedTarget(flags.target, this.env)
    const asked = askedVersion(flags.version, this.env)
    if (asked === null) throw noVersion()
    const target = findTarget(said.value)
    if (target === undefined)
      throw new PitlaneError('USAGE', `${said.from} is ${JSON.stringify(said.value)}, and there is no such target`, {
        hint: `There are ${TARGETS.map(({ triple }) => triple).join(', ')}.`,
      })
    const project = await this.project()
    const { plan, tag } = await planByHand(project, asked)
    const output = plannedOutput(plan, target, said.value)
    const { report, notes } = notesOf(this, flags.json)
    const command = `pitlane publish binary of ${target.triple}`
    await withState(this, project, flags, command, report, async (state, engine) => {
      const { content } = state
      const request = { file, target, output, noCheck: flags.noCheck }
      const taken = await binaryOf(this, project, content, request)
      const { lists } = await publishing(this, project, plan, { ...state, report, noWait: flags.noWait })
      const made = {
        plan,
        file: handMadeFile(plan, target, output, taken),
        isChecked: !flags.noCheck,
        tag,
        signer: lists.signer,
        actor: publicName(await this.actor(project)),
        pitlaneVersion: this.pitlaneVersion,
      }
      const blake2b512 = Buffer.from(taken.blake2b512, 'hex')
      const body = await content.open(taken.sha256)
      const result = await publishBinary(lists, this.stop.drain, { made, blake2b512, body })
      const { document, state: outcome } = result
      const { path, size, sha256 } = made.file
      if (flags.json) {
        const { version, channel, byHand = null } = document
        printJson(this, {
          state: outcome,
          bucket: lists.bucket.location,
          version,
          channel,
          path,
          size,
          sha256,
          byHand,
          notes,
        })
      } else {
        const what = `${path}  ${formatBytes(size)}  sha256 ${sha256.slice(0, 16)}…  in ${lists.bucket.location}`
        const remarks = document.byHand === undefined ? [] : byHandRemarks(document.byHand)
        const about = [`${document.version} (${document.channel})`, ...remarks].join('; ')
        this.process.stdout.write(`${outcome === 'put' ? 'put     ' : 'present '} ${what}: ${about}\n`)
      }
      await tidyUp(state, engine)
    })
  })
}
