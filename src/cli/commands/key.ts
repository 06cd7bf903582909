import { basename } from 'node:path'
import { generateKey, KEY_VARIABLE } from '../../release/keys/keys.ts'
import { keyFiles } from '../../release/keys/key-files.ts'
import { absolute, guard, printJson } from '../command.ts'
import type { Context } from '../context.ts'
import { shellWord } from '../../words/shell-word.ts'
import { workingConfiguration } from '../planning.ts'

export async function generate(this: Context, flags: { output?: string; json: boolean }): Promise<void> {
  await guard(this, flags.json, async () => {
    const output = flags.output === undefined ? null : absolute(flags.output, this.cwd)
    // With --output no project is needed: the key is not looked for there by itself.
    const project = output === null ? await projectName(this) : basename(output)
    const key = await generateKey(project, this.env, keyFiles, (bytes) => this.clock.random(bytes), output)
    if (flags.json)
      return printJson(this, { file: key.path, publicKey: key.publicKey.line, keyId: key.publicKey.keyId })
    const lines = [
      `written: ${key.path}`,
      `public key: ${key.publicKey.line}`,
      'Keep a copy of the file in a safe place: with another key, nobody can tell later releases from forged ones.',
      ...(output === null ? [] : [`To sign with it: export ${KEY_VARIABLE}=${shellWord(key.path)}`]),
    ]
    this.process.stdout.write(`${lines.join('\n')}\n`)
  })
}

export async function show(this: Context, flags: { pem: boolean; json: boolean }): Promise<void> {
  await guard(this, flags.json, async () => {
    // A key that is named is found without a project.
    const isNamed = (this.env[KEY_VARIABLE] ?? '').trim() !== ''
    const { publicKey } = await this.signer(isNamed ? KEY_VARIABLE : await projectName(this))
    if (flags.json) return printJson(this, { publicKey: publicKey.line, keyId: publicKey.keyId, pem: publicKey.pem })
    this.process.stdout.write(flags.pem ? publicKey.pem : publicKey.minisign)
  })
}

/** Keys belong to projects: the name in the working tree's pitlane.yaml, committed or not. */
async function projectName(context: Context): Promise<string> {
  const configuration = await workingConfiguration(await context.repositoryFolder())
  return configuration?.name ?? (await context.project()).folder
}
