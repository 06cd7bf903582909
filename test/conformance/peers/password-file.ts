/** Basic authentication for the distribution project's registry: one user. */
import { writeFileSync } from 'node:fs'

export const LOGIN = { user: 'publisher', password: 'only:on loopback' }
/** bcrypt of the password, which is all that the registry reads: `htpasswd -nbB publisher 'only:on loopback'` makes such a one. */
const BCRYPT = '$2y$05$abcdefghijklmnopqrstuuwFLdLGPV2KlGUt/n.Kxq9iesIn5fpFu'

/** Writes the password file. @returns the settings that name it */
export function passwordFile(path: string): readonly string[] {
  writeFileSync(path, `${LOGIN.user}:${BCRYPT}\n`)
  return ['auth:', '  htpasswd:', '    realm: test', `    path: ${path}`]
}
