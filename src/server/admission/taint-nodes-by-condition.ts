import type { Node } from '../../api/core/v1.gen.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import type { AdmissionPlugin } from './admission-chain.ts';

const notReady = 'node.kubernetes.io/not-ready';

/** A new node takes no pods before it has said that it is ready (upstream's TaintNodesByCondition). */
export const taintNodesByCondition: AdmissionPlugin = {
  name: 'TaintNodesByCondition',
  admit(request) {
    if (
      request.operation !== 'CREATE' ||
      request.group !== '' ||
      request.resource !== 'nodes' ||
      request.subresource !== ''
    )
      return;
    const node = request.object as DeepMutable<Node>;
    const taints = node.spec?.taints ?? [];
    if (taints.some((taint) => taint.key === notReady && taint.effect === 'NoSchedule')) return;
    node.spec = { ...node.spec, taints: [...taints, { key: notReady, effect: 'NoSchedule' }] };
  },
};
