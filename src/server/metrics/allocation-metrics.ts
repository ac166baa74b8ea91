import type { AllocationObserver, AllocationReader } from '../../api/core/allocation-observer.ts';
import type { Clock } from '../../base/clock.ts';
import type { MetricRegistry } from '../../base/metrics/registry.ts';

const addressLabels = ['cidr', 'scope'];

/** What the addresses and node ports of services are given out of, and how often, under upstream's names. */
export function allocationMetrics(registry: MetricRegistry, clock: Clock): AllocationObserver {
  const addresses = (name: string): string => `kube_apiserver_clusterip_allocator_${name}`;
  const ports = (name: string): string => `kube_apiserver_nodeport_allocator_${name}`;
  const given = registry.counter({
    name: addresses('allocation_total'),
    help: '[ALPHA] Addresses that services were given.',
    labels: addressLabels,
  });
  const refused = registry.counter({
    name: addresses('allocation_errors_total'),
    help: '[ALPHA] Addresses that services could not be given.',
    labels: addressLabels,
  });
  const durations = registry.histogram({
    name: addresses('allocation_duration_seconds'),
    help: '[ALPHA] How long it takes to find an address, in seconds.',
    labels: ['cidr'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  });
  const givenPorts = registry.counter({
    name: ports('allocation_total'),
    help: '[ALPHA] Node ports that services were given.',
    labels: ['scope'],
  });
  const refusedPorts = registry.counter({
    name: ports('allocation_errors_total'),
    help: '[ALPHA] Node ports that services could not be given.',
    labels: ['scope'],
  });
  return {
    now: () => clock.monotonic(),
    follow: (reader) => readUse(registry, reader, { addresses, ports }),
    address(cidr, scope, since) {
      given.labels(cidr, scope).add();
      durations.labels(cidr).observe((clock.monotonic() - since) / 1000);
    },
    addressRefused: (cidr, scope) => refused.labels(cidr, scope).add(),
    port: (scope) => givenPorts.labels(scope).add(),
    portRefused: (scope) => refusedPorts.labels(scope).add(),
  };
}

interface Names {
  addresses(name: string): string;
  ports(name: string): string;
}

function readUse(registry: MetricRegistry, reader: AllocationReader, { addresses, ports }: Names): void {
  const ofRange = (name: string, help: string, left: 'used' | 'free'): void =>
    registry.reading('gauge', { name: addresses(name), help: `[ALPHA] ${help}`, labels: ['cidr'] }, () =>
      reader.addresses().map(({ cidr, used, size }) => [[cidr], left === 'used' ? used : size - used]),
    );
  ofRange('allocated_ips', 'Addresses that services have.', 'used');
  ofRange('available_ips', 'Addresses that services can be given.', 'free');
  registry.reading(
    'gauge',
    { name: ports('allocated_ports'), help: '[ALPHA] Node ports that services have.' },
    () => [[[], reader.ports().used]],
  );
  registry.reading(
    'gauge',
    { name: ports('available_ports'), help: '[ALPHA] Node ports that services can be given.' },
    () => {
      const { used, size } = reader.ports();
      return [[[], size - used]];
    },
  );
}
