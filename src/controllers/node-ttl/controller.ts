import { nodes } from '../../api/core/v1.gen.ts';
import { isStatus } from '../../machinery/status-error.ts';
import {
  settled,
  type Controller,
  type ControllerContext,
  type Outcome,
  type RunningController,
} from '../../reconcile/controller.ts';
import { startReconciler } from '../../reconcile/reconciler.ts';
import { nextStep, secondsOf } from './plan.ts';

/** Tells nodes, by an annotation, how long they may cache objects: the larger the cluster, the longer. */
export const nodeTtlController: Controller = { name: 'ttl-controller', aliases: ['ttl'], start };

const annotation = 'node.alpha.kubernetes.io/ttl';

function start(context: ControllerContext): RunningController {
  const nodeCache = context.informers.for(nodes);
  const nodeClient = context.client.for(nodes);
  let count = 0;
  let step = 0;
  const reconciler = startReconciler(context, {
    name: nodeTtlController.name,
    caches: [nodeCache],
    concurrency: 32,
    reconcile,
  });
  const resize = (change: number): void => {
    count += change;
    step = nextStep(step, count);
  };
  nodeCache.addHandler({
    onAdd({ metadata }) {
      resize(1);
      reconciler.add(metadata.name);
    },
    onUpdate: ({ metadata }) => {
      if (metadata.annotations?.[annotation] !== String(secondsOf(step))) reconciler.add(metadata.name);
    },
    onDelete: () => resize(-1),
  });
  return reconciler;

  async function reconcile(name: string): Promise<Outcome> {
    const node = nodeCache.get(undefined, name);
    const wanted = String(secondsOf(step));
    if (!node || node.metadata.annotations?.[annotation] === wanted) return settled;
    const patch = { metadata: { annotations: { [annotation]: wanted } } };
    try {
      await nodeClient.patch({ name }, patch, { type: 'application/merge-patch+json' });
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
    }
    return settled;
  }
}
