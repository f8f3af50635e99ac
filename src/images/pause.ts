import type { Architecture } from '../lib/architecture.js';

/**
 * The program that holds a pod's namespaces open, as machine code next to its assembly. It blocks every signal and waits
 * for them one by one: SIGCHLD reaps all orphans (a pod may share its PID namespace, where this is process 1), SIGTERM
 * and SIGINT end it with 0. Blocked signals reach process 1 even from inside its own namespace.
 */
const listings: Record<Architecture, string> = {
  amd64: `
    6a ff             | push $-1              # the set of all signals, kept on the stack
    31 ff             | xor %edi, %edi        # SIG_BLOCK
    48 89 e6          | mov %rsp, %rsi
    31 d2             | xor %edx, %edx
    41 ba 08 00 00 00 | mov $8, %r10d         # bytes of the set
    b8 0e 00 00 00    | mov $14, %eax         # rt_sigprocmask
    0f 05             | syscall
                      | reap:
    bf ff ff ff ff    | mov $-1, %edi         # any child
    31 f6             | xor %esi, %esi
    ba 01 00 00 00    | mov $1, %edx          # WNOHANG
    45 31 d2          | xor %r10d, %r10d
    b8 3d 00 00 00    | mov $61, %eax         # wait4
    0f 05             | syscall
    85 c0             | test %eax, %eax
    7f e6             | jg reap
                      | wait:
    48 89 e7          | mov %rsp, %rdi
    31 f6             | xor %esi, %esi
    31 d2             | xor %edx, %edx
    41 ba 08 00 00 00 | mov $8, %r10d
    b8 80 00 00 00    | mov $128, %eax        # rt_sigtimedwait
    0f 05             | syscall
    83 f8 11          | cmp $17, %eax         # SIGCHLD
    74 cd             | je reap
    83 f8 0f          | cmp $15, %eax         # SIGTERM
    74 05             | je exit
    83 f8 02          | cmp $2, %eax          # SIGINT
    75 dd             | jne wait
                      | exit:
    31 ff             | xor %edi, %edi
    b8 3c 00 00 00    | mov $60, %eax         # exit
    0f 05             | syscall`,
  arm64: `
    09 00 80 92 | mov x9, #-1             // the set of all signals, kept on the stack
    e9 0f 1f f8 | str x9, [sp, #-16]!
    00 00 80 d2 | mov x0, #0              // SIG_BLOCK
    e1 03 00 91 | mov x1, sp
    02 00 80 d2 | mov x2, #0
    03 01 80 d2 | mov x3, #8              // bytes of the set
    e8 10 80 d2 | mov x8, #135            // rt_sigprocmask
    01 00 00 d4 | svc #0
                | reap:
    00 00 80 92 | mov x0, #-1             // any child
    01 00 80 d2 | mov x1, #0
    22 00 80 d2 | mov x2, #1              // WNOHANG
    03 00 80 d2 | mov x3, #0
    88 20 80 d2 | mov x8, #260            // wait4
    01 00 00 d4 | svc #0
    1f 00 00 71 | cmp w0, #0
    2c ff ff 54 | b.gt reap
                | wait:
    e0 03 00 91 | mov x0, sp
    01 00 80 d2 | mov x1, #0
    02 00 80 d2 | mov x2, #0
    03 01 80 d2 | mov x3, #8
    28 11 80 d2 | mov x8, #137            // rt_sigtimedwait
    01 00 00 d4 | svc #0
    1f 44 00 71 | cmp w0, #17             // SIGCHLD
    20 fe ff 54 | b.eq reap
    1f 3c 00 71 | cmp w0, #15             // SIGTERM
    60 00 00 54 | b.eq exit
    1f 08 00 71 | cmp w0, #2              // SIGINT
    a1 fe ff 54 | b.ne wait
                | exit:
    00 00 80 d2 | mov x0, #0
    a8 0b 80 d2 | mov x8, #93             // exit
    01 00 00 d4 | svc #0`,
};

/** Input for an assembler, which makes the same machine code from it. */
export function pauseAssembly(architecture: Architecture): string {
  return column(architecture, 1).join('\n') + '\n';
}

/** A static ELF executable of about 200 bytes: one segment, loaded read-only and executable. */
export function pauseProgram(architecture: Architecture): Buffer {
  const code = Buffer.from(column(architecture, 0).join('').replaceAll(' ', ''), 'hex');
  const headers = Buffer.alloc(64 + 56);
  const address = 0x400000n;
  const size = BigInt(headers.length + code.length);
  // elf(5): Elf64_Ehdr
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]).copy(headers); // 64 bits, little endian, version 1
  headers.writeUInt16LE(2, 16); // ET_EXEC
  headers.writeUInt16LE(architecture === 'amd64' ? 62 : 183, 18); // EM_X86_64, EM_AARCH64
  headers.writeUInt32LE(1, 20);
  headers.writeBigUInt64LE(address + BigInt(headers.length), 24); // entry point
  headers.writeBigUInt64LE(64n, 32); // program headers follow
  headers.writeUInt16LE(64, 52);
  headers.writeUInt16LE(56, 54);
  headers.writeUInt16LE(1, 56);
  // Elf64_Phdr
  headers.writeUInt32LE(1, 64); // PT_LOAD
  headers.writeUInt32LE(5, 68); // PF_R | PF_X
  headers.writeBigUInt64LE(address, 80);
  headers.writeBigUInt64LE(address, 88);
  headers.writeBigUInt64LE(size, 96);
  headers.writeBigUInt64LE(size, 104);
  headers.writeBigUInt64LE(0x10000n, 112); // pages of up to 64 KiB
  return Buffer.concat([headers, code]);
}

function column(architecture: Architecture, index: 0 | 1): string[] {
  return listings[architecture].split('\n').map((line) => line.split('|')[index]?.trim() ?? '');
}
