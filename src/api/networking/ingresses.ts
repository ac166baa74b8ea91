import { mutableCopy } from '../../machinery/mutable-copy.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineResource, type ResourceDefinition } from '../resource.ts';
import { validateIngress, validateIngressStatus, validateIngressUpdate } from './ingress-validation.ts';
import { type Ingress, type IngressSpec, type IngressStatus, ingresses as ingressType } from './v1.gen.ts';

const classAnnotation = 'kubernetes.io/ingress.class';
const SHOWN_HOSTS = 3;

/** Rules by which requests from outside reach services. */
export const ingresses: ResourceDefinition<Ingress> = defineResource<Ingress>({
  storage: 'v1',
  versions: {
    v1: {
      type: ingressType,
      schema: 'io.k8s.api.networking.v1.Ingress',
      defaults: (ingress: DeepMutable<Ingress>) => {
        ingress.spec ??= {};
        for (const rule of ingress.spec.rules ?? []) {
          for (const path of rule.http?.paths ?? []) path.backend ??= {};
        }
      },
    },
  },
  storagePath: 'ingress',
  generation: true,
  prepareForCreate(ingress) {
    ingress.status = { loadBalancer: {} };
  },
  prepareForUpdate(next, old) {
    next.status = mutableCopy(old.status ?? { loadBalancer: {} });
  },
  validate: validateIngress,
  validateUpdate: validateIngressUpdate,
  warnings: ({ metadata }, old) =>
    !old && metadata.annotations?.[classAnnotation] !== undefined
      ? [`annotation "${classAnnotation}" is deprecated, please use 'spec.ingressClassName' instead`]
      : [],
  status: {
    prepare(next, old) {
      next.spec = mutableCopy(old.spec);
    },
    validate: validateIngressStatus,
  },
  columns: [
    nameColumn(),
    {
      name: 'Class',
      type: 'string',
      cell: ({ metadata, spec }) =>
        spec.ingressClassName ?? (metadata.annotations?.[classAnnotation] || '<none>'),
    },
    { name: 'Hosts', type: 'string', cell: ({ spec }) => printHosts(spec) },
    { name: 'Address', type: 'string', cell: ({ status }) => printAddresses(status) },
    { name: 'Ports', type: 'string', cell: ({ spec }) => ((spec.tls ?? []).length > 0 ? '80, 443' : '80') },
    ageColumn(),
  ],
});

function printHosts({ rules = [] }: IngressSpec): string {
  const hosts = rules.flatMap(({ host }) => (host ? [host] : []));
  if (hosts.length === 0) return '*';
  const more = hosts.length > SHOWN_HOSTS ? ` + ${hosts.length - SHOWN_HOSTS} more...` : '';
  return `${hosts.slice(0, SHOWN_HOSTS).join(',')}${more}`;
}

function printAddresses(status: IngressStatus | undefined): string {
  const addresses = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }) => ip || hostname || []);
  return addresses.join(',');
}
