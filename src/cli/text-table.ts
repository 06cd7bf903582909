/** Text for terminals: columns, widths, and nothing that moves the cursor. Widths are counted in characters. */

/** Columns as wide as their widest cell, two spaces between them; columns in which every cell is empty are left out. */
export function table(rows: readonly (readonly string[])[]): readonly string[] {
  const count = Math.max(0, ...rows.map((row) => row.length))
  const widths = Array.from({ length: count }, (_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .filter((_, column) => widths[column] !== 0)
      .join('  ')
      .trimEnd(),
  )
}

/** The line, or its beginning and `…`. */
export function fit(line: string, width: number): string {
  return line.length <= width ? line : `${line.slice(0, width - 1)}…`
}

/** Breaks a line `name  a, b, c` after a comma; the rest goes below `a`. */
export function wrapList(line: string, width: number): readonly string[] {
  if (line.length <= width) return [line]
  const indent = /^\s*\S*\s+/.exec(line)?.[0].length ?? 0
  const end = line.lastIndexOf(', ', width - 1)
  if (end <= indent) return [line]
  return [line.slice(0, end + 1), ...wrapList(`${' '.repeat(indent)}${line.slice(end + 2)}`, width)]
}

/** Text from outside, without control characters and without marks that turn the direction of writing. */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}|[\u202a-\u202e\u2066-\u2069]/gu, '·')
}
