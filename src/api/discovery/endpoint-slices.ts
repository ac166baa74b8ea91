import type { DeepMutable } from '../../machinery/object.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineResource, type ResourceDefinition } from '../resource.ts';
import { validateEndpointSlice, validateEndpointSliceUpdate } from './endpoint-slice-validation.ts';
import { type EndpointSlice, endpointslices } from './v1.gen.ts';

const SHOWN = 3;

/** Some of the addresses behind a service, with their ports. */
export const endpointSlices: ResourceDefinition<EndpointSlice> = defineResource<EndpointSlice>({
  storage: 'v1',
  versions: { v1: { type: endpointslices, schema: 'io.k8s.api.discovery.v1.EndpointSlice', defaults } },
  generation: true,
  generationChanged: (next, old) =>
    !jsonEqual(content(next), content(old)) ||
    !jsonEqual(next.metadata.labels ?? {}, old.metadata.labels ?? {}),
  validate: validateEndpointSlice,
  validateUpdate: validateEndpointSliceUpdate,
  columns: [
    nameColumn(),
    { name: 'AddressType', type: 'string', cell: ({ addressType }) => addressType },
    {
      name: 'Ports',
      type: 'string',
      cell: ({ ports }) => shortened((ports ?? []).map(({ port }) => (port === undefined ? '*' : `${port}`))),
    },
    {
      name: 'Endpoints',
      type: 'string',
      cell: ({ endpoints }) => shortened((endpoints ?? []).flatMap(({ addresses }) => addresses ?? [])),
    },
    ageColumn(),
  ],
});

function defaults({ ports }: DeepMutable<EndpointSlice>): void {
  for (const port of ports ?? []) {
    port.name ??= '';
    port.protocol ??= 'TCP';
  }
}

function content({ addressType, endpoints, ports }: EndpointSlice): unknown {
  return { addressType, endpoints: endpoints ?? [], ports: ports ?? [] };
}

/** The first three, and how many more there are. */
function shortened(items: readonly string[]): string {
  if (items.length === 0) return '<unset>';
  const more = items.length > SHOWN ? ` + ${items.length - SHOWN} more...` : '';
  return `${items.slice(0, SHOWN).join(',')}${more}`;
}
