/** What an ELF executable says about itself; read by `elf.ts`, judged by `verify-elf.ts`, recorded as evidence. */
export interface ElfFacts {
  readonly class: 32 | 64
  readonly endianness: 'little' | 'big'
  /** `e_machine`. */
  readonly machine: number
  /** `exec` is position-dependent, `dyn` is a PIE (or a shared object). */
  readonly type: 'exec' | 'dyn'
  /** Content of `PT_INTERP`, or null. */
  readonly interpreter: string | null
  /** Every `DT_NEEDED` name. */
  readonly needed: readonly string[]
  /** Highest ARM architecture version the code asks for; null for other machines and where nothing tells. */
  readonly arm: { readonly version: number; readonly source: 'attributes' | 'go-buildinfo' } | null
}
