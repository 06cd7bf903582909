import { test } from 'node:test'
import { assertGolden } from './golden-file.ts'
import { platformRepository } from './image-names.ts'
import { TARGETS } from './targets.ts'

test('the table of targets: for review', () => {
  const rows = TARGETS.map((target) => {
    const { triple, platform, arch, uname, label, qemu, elf } = target
    return [
      triple,
      `  platform     ${platform}`,
      `  repository   ${platformRepository({ name: 'example/tool' }, target)}`,
      `  $ARCH        ${arch}`,
      `  uname -m     ${uname.join(' ')}`,
      `  ELF          class ${elf.class}, machine ${elf.machine}${elf.maxArmVersion === null ? '' : `, at most ARMv${elf.maxArmVersion}`}`,
      `  emulator     ${qemu.program}${qemu.cpu === null ? '' : ` -cpu ${qemu.cpu}`}`,
      `  for people   ${label}`,
    ].join('\n')
  })
  assertGolden(new URL('golden/targets.txt', import.meta.url), `${rows.join('\n\n')}\n`)
})
