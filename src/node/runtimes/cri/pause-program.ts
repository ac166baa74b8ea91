const base = 0x40_0000;
const headerBytes = 64 + 56;

/** Has the kernel reap its children (SIGCHLD ignored), then waits for signals for ever. */
const instructions = `
  b8 0d 00 00 00        mov    $13, %eax          rt_sigaction
  bf 11 00 00 00        mov    $17, %edi          SIGCHLD
  48 8d 35 13 00 00 00  lea    19(%rip), %rsi     the words behind the code
  31 d2                 xor    %edx, %edx
  41 ba 08 00 00 00     mov    $8, %r10d
  0f 05                 syscall
  b8 22 00 00 00        mov    $34, %eax          pause
  0f 05                 syscall
  eb f7                 jmp    -9`;

/**
 * A program that does nothing, as the first process of a sandbox: a static ELF file of less than 200 bytes. Undefined for
 * processors other than x86-64.
 */
export function pauseProgram(processor: string): Buffer | undefined {
  if (processor !== 'x64') return undefined;
  const code = Buffer.from(
    instructions
      .split('\n')
      .map((line) => /^ {2}((?:[0-9a-f]{2} )+)/.exec(line)?.[1] ?? '')
      .join('')
      .replaceAll(' ', ''),
    'hex',
  );
  // struct sigaction: SIG_IGN, no flags, no restorer, no mask.
  const action = Buffer.alloc(32);
  action.writeUInt8(1);
  const size = headerBytes + code.length + action.length;
  return Buffer.concat([elfHeader(), programHeader(size), code, action]);
}

function elfHeader(): Buffer {
  const header = Buffer.alloc(64);
  header.write('\x7fELF', 'latin1');
  header.set([2, 1, 1], 4);
  header.writeUInt16LE(2, 16);
  header.writeUInt16LE(62, 18);
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(BigInt(base + headerBytes), 24);
  header.writeBigUInt64LE(64n, 32);
  header.writeUInt16LE(64, 52);
  header.writeUInt16LE(56, 54);
  header.writeUInt16LE(1, 56);
  return header;
}

/** One segment, readable and executable: the whole file. */
function programHeader(size: number): Buffer {
  const header = Buffer.alloc(56);
  header.writeUInt32LE(1, 0);
  header.writeUInt32LE(5, 4);
  header.writeBigUInt64LE(BigInt(base), 16);
  header.writeBigUInt64LE(BigInt(base), 24);
  header.writeBigUInt64LE(BigInt(size), 32);
  header.writeBigUInt64LE(BigInt(size), 40);
  header.writeBigUInt64LE(0x1000n, 48);
  return header;
}
