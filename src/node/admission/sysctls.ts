import type { Pod } from '../../api/core/v1.gen.ts';
import type { Refusal } from './refusal-of.ts';

/** Namespaced sysctls that cannot hurt other pods (upstream's list for current kernels). */
const SAFE: ReadonlySet<string> = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_wmem',
]);

/** Which namespace holds a sysctl: outside of one it is the whole machine's. */
function namespaceOf(name: string): 'ipc' | 'net' | undefined {
  if (name.startsWith('net.')) return 'net';
  if (/^(?:kernel\.(?:shm|msg|sem)|fs\.mqueue\.)/.test(name)) return 'ipc';
  return undefined;
}

/** The kubelet's complaint about a sysctl that a pod must not set; patterns end in `*`. */
export function forbiddenSysctl(pod: Pod, allowedUnsafe: readonly string[]): Refusal | undefined {
  const { hostNetwork, hostIPC, securityContext } = pod.spec;
  for (const { name } of securityContext?.sysctls ?? []) {
    const dotted = name.replaceAll('/', '.');
    const allowed = allowedUnsafe.some((pattern) =>
      pattern.endsWith('*') ? dotted.startsWith(pattern.slice(0, -1)) : dotted === pattern,
    );
    if (!SAFE.has(dotted) && !allowed)
      return { reason: 'SysctlForbidden', message: `forbidden sysctl: "${name}" not allowlisted` };
    const namespace = namespaceOf(dotted);
    if (namespace === 'net' && hostNetwork === true) return shared(name, 'net');
    if (namespace === 'ipc' && hostIPC === true) return shared(name, 'ipc');
  }
  return undefined;
}

function shared(name: string, namespace: string): Refusal {
  const message = `forbidden sysctl: "${name}" not allowed with host ${namespace} enabled`;
  return { reason: 'SysctlForbidden', message };
}
