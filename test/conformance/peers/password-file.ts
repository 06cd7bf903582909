/** The settings with which distribution asks for a password, one user's. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'

/** Writes the file of the password. What stands in it is bcrypt's, which distribution wants; Perl asks the C library for it. */
export function passwordFile(
  path: string,
  login: { readonly user: string; readonly password: string },
): readonly string[] {
  const made = spawnSync('perl', ['-e', 'chomp(my $p = <STDIN>); print crypt($p, q($2y$05$abcdefghijklmnopqrstuu))'], {
    input: login.password,
    encoding: 'utf8',
  })
  assert.match(made.stdout, /^\$2y\$/)
  writeFileSync(path, `${login.user}:${made.stdout}\n`)
  return ['auth:', '  htpasswd:', '    realm: test', `    path: ${path}`]
}
