import { replicationcontrollers } from '../../api/core/v1.gen.ts';
import { selectorFromMap } from '../../machinery/selectors/label-selector.ts';
import type { Controller } from '../../reconcile/controller.ts';
import { replicaController } from '../replicas/replica-controller.ts';

/** Keeps as many pods of a ReplicationController as it asks for. */
export const replicationController: Controller = replicaController({
  name: 'replicationcontroller-controller',
  alias: 'replicationcontroller',
  type: replicationcontrollers,
  selector: ({ spec }) => selectorFromMap(spec.selector),
  withStatus(controller, { terminatingReplicas: _terminating, ...status }) {
    return { ...controller, status };
  },
});
