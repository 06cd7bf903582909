/** Who is at this machine: what a promotion records as its actor. */
import { userInfo } from 'node:os'
import { runGit } from './git.ts'

const ACTOR_LENGTH = 200

/** `Name <email>` as git would name who makes a commit now (the author may be somebody else: CI sets that to the commit's own), or the name of the operating system's user. */
export async function actorOf(root: string): Promise<string> {
  const configured = await settings(root)
  const name = process.env['GIT_COMMITTER_NAME']?.trim() || (configured.get('user.name') ?? '')
  const email = process.env['GIT_COMMITTER_EMAIL']?.trim() || (configured.get('user.email') ?? '')
  const actor = name !== '' && email !== '' ? `${name} <${email}>` : name || email || systemUser()
  return (
    actor
      .replace(/[\p{Cc}\p{Cf}]/gu, ' ')
      .trim()
      .slice(0, ACTOR_LENGTH) || 'unknown'
  )
}

async function settings(root: string): Promise<Map<string, string>> {
  try {
    const output = await runGit(root, ['config', '-z', '--get-regexp', '^user\\.(name|email)$'], 64 * 1024)
    // `key\nvalue\0`; the last one of a key counts.
    return new Map(
      output
        .toString()
        .split('\0')
        .map((entry) => [entry.slice(0, entry.indexOf('\n')), entry.slice(entry.indexOf('\n') + 1)] as const),
    )
  } catch {
    // git config fails when nothing is set; who asks is recorded by what is known, and never a reason to stop.
    return new Map()
  }
}

function systemUser(): string {
  try {
    return userInfo().username
  } catch {
    // A user id without an entry in the user database, as in many containers.
    return `uid ${process.getuid?.() ?? 'unknown'}`
  }
}
