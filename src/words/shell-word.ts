/** One word for a POSIX shell: as it is when nothing in it is special, in single quotes otherwise. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_./:@%+,=-]+$/.test(text) ? text : shellQuoted(text)
}

/** One word for a POSIX shell, always in single quotes. NUL cannot be in a shell word and is left out. */
export function shellQuoted(text: string): string {
  return `'${text.replaceAll('\0', '').replaceAll("'", "'\\''")}'`
}
