import type {
  EndpointAddress,
  EndpointPort,
  EndpointSubset,
  Endpoints,
  Service,
} from '../../api/core/v1.gen.ts';
import type { Endpoint, EndpointSlice } from '../../api/discovery/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { deepEqual } from '../../reconcile/deep-equal.ts';
import { controllerReference } from '../../reconcile/owner.ts';
import { belongs, distribute, type SliceGroup } from '../endpoint-slice/distribute.ts';
import { managedByLabel, serviceNameLabel, type SlicePlan } from '../endpoint-slice/plan.ts';
import { triggerTimeAnnotation } from '../services/trigger-times.ts';

export const mirroredBy: string = 'endpointslicemirroring-controller.k8s.io';

/** How many endpoints a slice holds, and how many of one subset are mirrored. */
const capacity = 1000;
const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration';

/** Whether somebody keeps these endpoints by hand, for a service that selects no pods. */
export function shouldMirror(
  endpoints: Live<Endpoints> | undefined,
  service: Live<Service> | undefined,
): endpoints is Live<Endpoints> {
  return (
    endpoints !== undefined &&
    service !== undefined &&
    Object.keys(service.spec.selector ?? {}).length === 0 &&
    endpoints.metadata.labels?.['endpointslice.kubernetes.io/skip-mirror'] !== 'true' &&
    endpoints.metadata.annotations?.['control-plane.alpha.kubernetes.io/leader'] === undefined
  );
}

/** What to write so that the slices show exactly the endpoints. */
export function planMirror(endpoints: Live<Endpoints>, slices: readonly Live<EndpointSlice>[]): SlicePlan {
  const unused = new Set(slices);
  const create: EndpointSlice[] = [];
  const update: EndpointSlice[] = [];
  for (const group of groupsOf(endpoints)) {
    const mine = slices.filter((slice) => belongs(slice, group));
    for (const { slice, endpoints: share } of distribute(group.endpoints, mine, capacity)) {
      const next = wantedSlice(endpoints, { ...group, endpoints: share }, slice);
      if (!slice) create.push(next);
      else {
        unused.delete(slice);
        if (!deepEqual(next, slice)) update.push(next);
      }
    }
  }
  return { create, update, remove: [...unused] };
}

function groupsOf({ subsets = [] }: Endpoints): readonly SliceGroup[] {
  const groups = new Map<string, SliceGroup & { readonly endpoints: Endpoint[] }>();
  for (const subset of subsets) {
    const ports = (subset.ports ?? []).map(slicePort);
    for (const endpoint of endpointsOf(subset)) {
      const addressType = endpoint.addresses[0]?.includes(':') ? 'IPv6' : 'IPv4';
      const key = `${addressType} ${ports.map(({ name, port, protocol }) => `${name}/${port}/${protocol}`).join()}`;
      const group = groups.get(key) ?? { addressType, ports, endpoints: [] };
      groups.set(key, group);
      group.endpoints.push(endpoint);
    }
  }
  return [...groups.values()];
}

function endpointsOf({ addresses = [], notReadyAddresses = [] }: EndpointSubset): readonly Endpoint[] {
  return [
    ...addresses.map((address) => mirrored(address, 'ready')),
    ...notReadyAddresses.map((address) => mirrored(address, 'not ready')),
  ].slice(0, capacity);
}

function mirrored(
  { ip, hostname, nodeName, targetRef }: EndpointAddress,
  state: 'ready' | 'not ready',
): Endpoint {
  return {
    addresses: [ip],
    conditions: { ready: state === 'ready' },
    ...(hostname && { hostname }),
    ...(nodeName !== undefined && { nodeName }),
    ...(targetRef && { targetRef }),
  };
}

function slicePort({
  name = '',
  port,
  protocol = 'TCP',
  appProtocol,
}: EndpointPort): SliceGroup['ports'][number] {
  return { name, port, protocol, ...(appProtocol !== undefined && { appProtocol }) };
}

function wantedSlice(
  { metadata, ...endpoints }: Live<Endpoints>,
  group: SliceGroup,
  current: Live<EndpointSlice> | undefined,
): EndpointSlice {
  const { name, namespace = '' } = metadata;
  const {
    [triggerTimeAnnotation]: _time,
    [lastAppliedAnnotation]: _applied,
    ...annotations
  } = metadata.annotations ?? {};
  const shown = {
    labels: { ...metadata.labels, [serviceNameLabel]: name, [managedByLabel]: mirroredBy },
    ...(Object.keys(annotations).length > 0 && { annotations }),
  };
  const { labels: _labels, annotations: _annotations, ...kept } = current?.metadata ?? {};
  return {
    ...current,
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    addressType: group.addressType,
    ports: group.ports,
    endpoints: group.endpoints,
    metadata: current
      ? { ...kept, ...shown }
      : {
          ...shown,
          generateName: `${name}-`,
          namespace,
          ownerReferences: [controllerReference({ ...endpoints, metadata })],
        },
  };
}
