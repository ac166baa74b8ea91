import { nodes, type Node, type Pod } from '../../api/core/v1.gen.ts';
import type { Client } from '../../client/client.ts';
import { refusalOf, type AdmissionView, type Refusal } from './refusal-of.ts';

/** Decides which of the pods that are bound to a node it takes. */
export interface NodeAdmission {
  /** `others` are the pods that it has taken already. */
  refusalOf(pod: Pod, others: () => readonly Pod[]): Promise<Refusal | undefined>;
}

export interface NodeAdmissionOptions {
  readonly client: Client;
  readonly nodeName: string;
  /** The Node object as it was seen last. */
  node(): Node | undefined;
  /** Everything else that counts, as it is now. */
  view(): Omit<AdmissionView, 'node' | 'others'>;
}

/** The admission of one node. What its labels and taints forbid is decided by what the API has now. */
export function createNodeAdmission(options: NodeAdmissionOptions): NodeAdmission {
  return {
    async refusalOf(pod, others) {
      const view = (node: Node | undefined): AdmissionView => ({ ...options.view(), node, others: others() });
      const refusal = refusalOf(pod, view(options.node()));
      if (refusal?.reason !== 'NodeAffinity' && refusal?.reason !== 'TaintToleration') return refusal;
      const fresh = await options.client.for(nodes).get({ name: options.nodeName });
      return refusalOf(pod, view(fresh));
    },
  };
}
