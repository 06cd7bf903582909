/** Basic authentication for the distribution project's registry. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'

/** Writes a password file as the registry reads it: bcrypt, made by the system's own crypt(3). @returns the settings that name it */
export function passwordFile(path: string, { user, password }: { readonly user: string; readonly password: string }) {
  const made = spawnSync('perl', ['-e', 'chomp(my $p = <STDIN>); print crypt($p, q($2y$05$abcdefghijklmnopqrstuu))'], {
    input: password,
    encoding: 'utf8',
  })
  assert.match(made.stdout, /^\$2y\$/)
  writeFileSync(path, `${user}:${made.stdout}\n`)
  return ['auth:', '  htpasswd:', '    realm: test', `    path: ${path}`]
}
