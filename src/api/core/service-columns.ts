import type { Column } from '../resource.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import type { Service } from './v1.gen.ts';

function loadBalancerAddresses(service: Service): string {
  return (service.status?.loadBalancer?.ingress ?? [])
    .map(({ ip, hostname }) => ip || hostname || '')
    .filter(Boolean)
    .join(',');
}

function externalIp(service: Service): string {
  const { type, externalIPs = [], externalName } = service.spec;
  if (type === 'ExternalName') return externalName ?? '';
  if (type !== 'LoadBalancer') return externalIPs.join(',') || '<none>';
  const addresses = [...new Set(loadBalancerAddresses(service).split(',').filter(Boolean))].sort().join(',');
  if (externalIPs.length === 0) return addresses || '<pending>';
  return [addresses, ...externalIPs].filter(Boolean).join(',');
}

function ports({ spec }: Service): string {
  const all = (spec.ports ?? []).map(({ port, nodePort, protocol }) =>
    nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`,
  );
  return all.join(',') || '<none>';
}

function selector({ spec }: Service): string {
  const entries = Object.entries(spec.selector ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([key, value]) => `${key}=${value}`).join(',') || '<none>';
}

/** `kubectl get services`. */
export const serviceColumns: readonly Column<Service>[] = [
  nameColumn(),
  { name: 'Type', type: 'string', cell: ({ spec }) => spec.type ?? '' },
  {
    name: 'Cluster-IP',
    type: 'string',
    cell: ({ spec }) => spec.clusterIPs?.[0] ?? (spec.clusterIP || '<none>'),
  },
  { name: 'External-IP', type: 'string', cell: externalIp },
  { name: 'Port(s)', type: 'string', cell: ports },
  ageColumn(),
  { name: 'Selector', type: 'string', priority: 1, cell: selector },
];
