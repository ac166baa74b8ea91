import { replicasets } from '../../api/apps/v1.gen.ts';
import { selectorFrom } from '../../machinery/selectors/label-selector.ts';
import type { Controller } from '../../reconcile/controller.ts';
import { replicaController } from '../replicas/replica-controller.ts';

/** Keeps as many pods of a ReplicaSet as it asks for. */
export const replicaSetController: Controller = replicaController({
  name: 'replicaset-controller',
  alias: 'replicaset',
  type: replicasets,
  selector: ({ spec }) => selectorFrom(spec.selector),
  withStatus: (replicaSet, status) => ({ ...replicaSet, status }),
});
