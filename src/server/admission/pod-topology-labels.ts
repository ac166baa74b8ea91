import { nodes, type Binding, type Node } from '../../api/core/v1.gen.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import type { AdmissionPlugin } from './admission-chain.ts';
import type { Lookup } from './lookup.ts';

const copied = ['topology.kubernetes.io/region', 'topology.kubernetes.io/zone'];

/** Gives pods the zone and region of the node they are bound to (upstream's PodTopologyLabels). */
export function podTopologyLabels(lookup: Lookup): AdmissionPlugin {
  return {
    name: 'PodTopologyLabels',
    admit(request) {
      if (request.operation !== 'CREATE' || request.group !== '' || request.resource !== 'pods') return;
      if (request.subresource !== 'binding') return;
      const { metadata, target } = request.object as DeepMutable<Binding>;
      const node = target?.name ? lookup.get<Node>(nodes, '', target.name) : undefined;
      const labels = Object.entries(node?.metadata.labels ?? {}).filter(([key]) => copied.includes(key));
      if (labels.length > 0) metadata.labels = { ...metadata.labels, ...Object.fromEntries(labels) };
    },
  };
}
