const allNames =
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE';
const defaultNames =
  'CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE';

export interface CapabilityRequest {
  readonly privileged: boolean;
  readonly addCapabilities: readonly string[];
  readonly dropCapabilities: readonly string[];
}

/** The capabilities a container gets, `CAP_…`: the defaults of containerd, `ALL` in either list being all there are. */
export function effectiveCapabilities(request: CapabilityRequest): readonly string[] {
  const all = withPrefix(allNames.split(' '));
  if (request.privileged) return all;
  const added = withPrefix(request.addCapabilities);
  const dropped = new Set(withPrefix(request.dropCapabilities));
  const base = added.includes('CAP_ALL') ? all : withPrefix(defaultNames.split(' '));
  const kept = base.filter((name) => !dropped.has('CAP_ALL') && !dropped.has(name));
  return [...new Set([...kept, ...added.filter((name) => all.includes(name))])];
}

/** The capabilities of a mask as `/proc/PID/status` shows it, in hexadecimal. */
export function capabilitiesOfMask(mask: string): readonly string[] {
  const bits = BigInt(`0x${mask.trim() || '0'}`);
  return withPrefix(allNames.split(' ').filter((_, bit) => (bits >> BigInt(bit)) & 1n));
}

function withPrefix(names: readonly string[]): readonly string[] {
  return names
    .map((name) => name.toUpperCase())
    .map((name) => (name.startsWith('CAP_') ? name : `CAP_${name}`));
}
