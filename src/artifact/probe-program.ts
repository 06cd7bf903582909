/**
 * The smallest program of each machine: it exits with status 0. Running it tells whether this kernel executes that machine's code,
 * without touching the project's own program.
 */
import type { Target } from '../plan/targets.ts'

/** `exit(0)` by the machine's Linux system call convention (syscall(2), "Architecture calling conventions"). */
const EXIT_ZERO: Record<Target['architecture'], readonly number[]> = {
  // xor edi,edi; mov eax,60; syscall
  amd64: [0x31, 0xff, 0xb8, 60, 0, 0, 0, 0x0f, 0x05],
  // xor ebx,ebx; mov eax,1; int 0x80
  '386': [0x31, 0xdb, 0xb8, 1, 0, 0, 0, 0xcd, 0x80],
  // mov x0,#0; mov x8,#93; svc #0
  arm64: [0x00, 0x00, 0x80, 0xd2, 0xa8, 0x0b, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4],
  // mov r0,#0; mov r7,#1; svc #0
  arm: [0x00, 0x00, 0xa0, 0xe3, 0x01, 0x70, 0xa0, 0xe3, 0x00, 0x00, 0x00, 0xef],
}

const BASE = 0x10000

/** A static ELF executable (gABI chapter 4 "ELF Header", chapter 5 "Program Header"): one loaded segment that is the whole file. */
export function probeProgram(target: Target): Buffer {
  const code = Buffer.from(EXIT_ZERO[target.architecture])
  const wide = target.elf.class === 64
  const headerSize = wide ? 64 : 52
  const segmentSize = wide ? 56 : 32
  const size = headerSize + segmentSize + code.length
  const file = Buffer.alloc(size)
  file.set([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, 1, 1])
  file.writeUInt16LE(2, 16)
  file.writeUInt16LE(target.elf.machine, 18)
  file.writeUInt32LE(1, 20)
  const entry = BASE + headerSize + segmentSize
  if (wide) {
    file.writeBigUInt64LE(BigInt(entry), 24)
    file.writeBigUInt64LE(BigInt(headerSize), 32)
    file.writeUInt16LE(headerSize, 52)
    file.writeUInt16LE(segmentSize, 54)
    file.writeUInt16LE(1, 56)
    file.writeUInt32LE(1, headerSize)
    file.writeUInt32LE(5, headerSize + 4)
    file.writeBigUInt64LE(BigInt(BASE), headerSize + 16)
    file.writeBigUInt64LE(BigInt(BASE), headerSize + 24)
    file.writeBigUInt64LE(BigInt(size), headerSize + 32)
    file.writeBigUInt64LE(BigInt(size), headerSize + 40)
    file.writeBigUInt64LE(0x1000n, headerSize + 48)
  } else {
    file.writeUInt32LE(entry, 24)
    file.writeUInt32LE(headerSize, 28)
    // ARM: EABI version 5 in e_flags, or the kernel takes it for the old system call convention.
    if (target.architecture === 'arm') file.writeUInt32LE(0x05000000, 36)
    file.writeUInt16LE(headerSize, 40)
    file.writeUInt16LE(segmentSize, 42)
    file.writeUInt16LE(1, 44)
    file.writeUInt32LE(1, headerSize)
    file.writeUInt32LE(BASE, headerSize + 8)
    file.writeUInt32LE(BASE, headerSize + 12)
    file.writeUInt32LE(size, headerSize + 16)
    file.writeUInt32LE(size, headerSize + 20)
    file.writeUInt32LE(5, headerSize + 24)
    file.writeUInt32LE(0x1000, headerSize + 28)
  }
  code.copy(file, headerSize + segmentSize)
  return file
}
