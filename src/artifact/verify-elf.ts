import { PitlaneError } from '../errors.ts'
import type { Target } from '../plan/targets.ts'
import type { ElfFacts } from './elf-facts.ts'
import { readElf } from './elf.ts'
import { machineName } from './machines.ts'
import type { RandomAccess } from './random-access.ts'

export interface ElfDemands {
  /** Neither an interpreter nor a needed library. A static PIE is static. */
  readonly static: boolean
  /** Leaves an ARM version that nothing tells to a release test on an ARMv6 CPU; see `undecidedArm`. Absent: there never is one. */
  readonly armByRun?: boolean
}

/** Why the executable does not fit its target, one sentence each with what was expected and what was found; empty when it fits. */
export function judgeElf(facts: ElfFacts, target: Target, demands: ElfDemands): string[] {
  const { triple, elf } = target
  const findings: string[] = []
  if (facts.class !== elf.class) {
    findings.push(`class is ELF${facts.class}, target ${triple} needs ELF${elf.class}`)
  }
  if (facts.machine !== elf.machine) {
    findings.push(`machine is ${machineName(facts.machine)}, target ${triple} needs ${machineName(elf.machine)}`)
  }
  // Every target here is little-endian.
  if (facts.endianness !== 'little') {
    findings.push(`byte order is ${facts.endianness}-endian, target ${triple} needs little-endian`)
  }
  if (elf.maxArmVersion !== null && facts.machine === elf.machine) {
    const undecided = undecidedArm(facts, target)
    if (undecided !== null) {
      if (demands.armByRun !== true) findings.push(undecided)
    } else if (facts.arm !== null && facts.arm.version > elf.maxArmVersion) {
      const origin = facts.arm.source === 'attributes' ? '.ARM.attributes' : "Go's build information"
      findings.push(
        `ARM version is ARMv${facts.arm.version} (${origin}), target ${triple} needs at most ARMv${elf.maxArmVersion}`,
      )
    }
  }
  if (demands.static && facts.interpreter !== null) {
    findings.push(`the interpreter is ${JSON.stringify(facts.interpreter)} (PT_INTERP), a static executable has none`)
  }
  if (demands.static && facts.needed.length > 0) {
    findings.push(`it needs ${listed(facts.needed)} (DT_NEEDED), a static executable needs no library`)
  }
  return findings
}

/** Why the ARM version is open, in a sentence; null where it is known or does not matter. Only a run on such a CPU closes it. */
export function undecidedArm(facts: ElfFacts, { triple, elf }: Target): string | null {
  if (elf.maxArmVersion === null || facts.machine !== elf.machine || facts.arm !== null) return null
  return (
    `ARM version is unknown (no .ARM.attributes and no Go build information tell it), target ${triple} needs ` +
    `at most ARMv${elf.maxArmVersion}; only a run on an ARMv${elf.maxArmVersion} CPU would count`
  )
}

/** What to do about `undecidedArm`. */
export function howToDecide({ elf, qemu }: Target): string {
  return (
    `Let \`release.test\` run "$BINARY" itself, with ${qemu.program} installed (on Debian: qemu-user-static): then it runs as ${qemu.cpu ?? 'that CPU'}. ` +
    `Or compile so that the file tells it: everything for ARMv${elf.maxArmVersion} (-march=armv6, GOARM=6), the C library included.`
  )
}

/** At most eight names: a crafted file can have thousands. */
function listed(names: readonly string[]): string {
  const shown = names.slice(0, 8).map((name) => JSON.stringify(name.slice(0, 80)))
  return names.length > shown.length ? `${shown.join(', ')} and ${names.length - shown.length} more` : shown.join(', ')
}

/**
 * Reads an executable and holds it against its target.
 * @throws PitlaneError `ELF_INVALID` when it can't be read, `ELF_MISMATCH` with every finding when it does not fit
 */
export async function verifyElf(source: RandomAccess, target: Target, demands: ElfDemands): Promise<ElfFacts> {
  const facts = await readElf(source)
  const findings = judgeElf(facts, target, demands)
  if (findings.length > 0) {
    throw new PitlaneError('ELF_MISMATCH', findings.join('; '), { hint: hint(facts, target, demands) })
  }
  return facts
}

function hint(facts: ElfFacts, target: Target, demands: ElfDemands): string {
  if (facts.machine !== target.elf.machine || facts.class !== target.elf.class || facts.endianness !== 'little') {
    return `Have the build compile for ${target.triple}: $TARGET and $ARCH tell it which one is wanted.`
  }
  if (demands.static && (facts.interpreter !== null || facts.needed.length > 0)) {
    return 'Link statically (musl, CGO_ENABLED=0), or declare `static: false`.'
  }
  if (demands.armByRun === false && undecidedArm(facts, target) !== null) return howToDecide(target)
  return 'Compile everything for ARMv6 (-march=armv6 or -mcpu=arm1176jzf-s, GOARM=6), the C library included.'
}
