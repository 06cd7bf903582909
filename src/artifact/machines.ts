/** `e_machine` numbers that are met on Linux: System V gABI, chapter 4, and its register of machines. */
export const MACHINE = { i386: 3, arm: 40, amd64: 62, aarch64: 183 } as const

const NAMES: Readonly<Record<number, string>> = {
  2: 'SPARC',
  3: 'Intel 80386',
  4: 'Motorola 68000',
  8: 'MIPS',
  20: 'PowerPC',
  21: 'PowerPC64',
  22: 'IBM S/390',
  40: 'ARM',
  42: 'SuperH',
  43: 'SPARC V9',
  50: 'IA-64',
  62: 'AMD x86-64',
  183: 'AArch64',
  243: 'RISC-V',
  247: 'BPF',
  258: 'LoongArch',
}

/** As in `AArch64 (183)`. */
export function machineName(machine: number): string {
  return `${NAMES[machine] ?? 'machine'} (${machine})`
}
