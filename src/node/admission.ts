import type { Pod } from '../api/core/v1.gen.ts';
import { hostPortsConflict } from './host-ports.ts';

/** Why a node refuses a pod: `reason` and `message` of its event. */
export interface Refusal {
  readonly reason: string;
  readonly message: string;
}

/** Namespaced sysctls that cannot hurt other pods (upstream's list for current kernels). */
const SAFE_SYSCTLS: ReadonlySet<string> = new Set([
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

/** Whether the node takes a pod that was bound to it, beside the pods that it has taken already. */
export function refusalOf(pod: Pod, others: readonly Pod[]): Refusal | undefined {
  if (others.some((other) => hostPortsConflict(pod, other))) {
    const why = "node(s) didn't have free ports for the requested pod ports";
    return { reason: 'NodePorts', message: `Predicate NodePorts failed: ${why}` };
  }
  for (const { name } of pod.spec?.securityContext?.sysctls ?? []) {
    const dotted = name.replaceAll('/', '.');
    if (SAFE_SYSCTLS.has(dotted)) continue;
    return { reason: 'SysctlForbidden', message: `forbidden sysctl: "${name}" not allowlisted` };
  }
  return undefined;
}
