import type { Pod } from '../api/core/v1.gen.ts';

/** Whether two pods ask for the same port of the node: port, protocol, and an address in common. */
export function hostPortsConflict(a: Pod, b: Pod): boolean {
  const taken = hostPorts(b);
  return hostPorts(a).some((wanted) =>
    taken.some(
      (other) =>
        other.port === wanted.port &&
        other.protocol === wanted.protocol &&
        (other.ip === wanted.ip || other.ip === anyAddress || wanted.ip === anyAddress),
    ),
  );
}

const anyAddress = '0.0.0.0';

interface HostPort {
  readonly ip: string;
  readonly port: number;
  readonly protocol: string;
}

/** Ports of containers that run side by side: init containers only when they are sidecars. */
function hostPorts({ spec }: Pod): readonly HostPort[] {
  const sidecars = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  return [...sidecars, ...spec.containers].flatMap(({ ports = [] }) =>
    ports.flatMap(({ hostPort, hostIP, protocol = 'TCP' }) =>
      hostPort ? [{ ip: hostIP || anyAddress, port: hostPort, protocol }] : [],
    ),
  );
}
