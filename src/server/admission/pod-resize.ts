import { podRequests, withOverhead } from '../../api/core/pod-spec/pod-totals.ts';
import { nodes, type Node, type Pod } from '../../api/core/v1.gen.ts';
import type { KubeObject } from '../../machinery/object.ts';
import { parseQuantity, quantityMilliValue, quantityValue } from '../../machinery/quantity.ts';
import type { AdmissionPlugin } from './admission-chain.ts';
import type { Lookup } from './lookup.ts';
import { newRefusal } from './refuse.ts';

const resizable = [
  ['cpu', quantityMilliValue],
  ['memory', quantityValue],
] as const;

/** A running pod does not grow beyond what its whole node has (KEP-1287). */
export function podResize(lookup: Lookup): AdmissionPlugin {
  return {
    name: 'PodResize',
    validate(request) {
      if (request.operation !== 'UPDATE' || request.group !== '' || request.resource !== 'pods') return;
      if (request.subresource !== 'resize') return;
      const { spec } = request.object as KubeObject as Pod;
      const node = spec.nodeName ? lookup.get<Node>(nodes, '', spec.nodeName) : undefined;
      const requests = withOverhead(podRequests(spec), spec);
      for (const [name, amount] of resizable) {
        const [wanted, there] = [requests[name], node?.status?.allocatable?.[name]];
        if (wanted === undefined || there === undefined) continue;
        const [requested, allocatable] = [amount(parseQuantity(wanted)), amount(parseQuantity(there))];
        if (requested <= allocatable) continue;
        throw newRefusal(
          request,
          `node didn't have enough allocatable resources: ${name}, requested: ${requested}, allocatable: ${allocatable}`,
        );
      }
    },
  };
}
