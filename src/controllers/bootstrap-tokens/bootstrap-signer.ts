import { configmaps, secrets } from '../../api/core/v1.gen.ts';
import { isStatus } from '../../machinery/status-error.ts';
import {
  recheck,
  settled,
  type Controller,
  type ControllerContext,
  type Outcome,
  type RunningController,
} from '../../reconcile/controller.ts';
import { deepEqual } from '../../reconcile/deep-equal.ts';
import { startReconciler } from '../../reconcile/reconciler.ts';
import { signedClusterInfo } from './cluster-info-signatures.ts';
import { msLeft, tokenNamespace, tokenType } from './token-secret.ts';

const infoNamespace = 'kube-public';
const infoName = 'cluster-info';

/** Signs the kubeconfig in `kube-public/cluster-info` with the bootstrap tokens, so that who holds a token can trust it. */
export const bootstrapSignerController: Controller = {
  name: 'bootstrap-signer-controller',
  aliases: ['bootstrapsigner'],
  start,
};

function start(context: ControllerContext): RunningController {
  const { client, informers, clock } = context;
  const infoCache = informers.for(configmaps);
  const secretCache = informers.for(secrets);
  const reconciler = startReconciler(context, {
    name: bootstrapSignerController.name,
    caches: [infoCache, secretCache],
    reconcile,
  });
  const wakeForInfo = ({ metadata }: { readonly metadata: { name: string; namespace?: string } }): void => {
    if (metadata.namespace === infoNamespace && metadata.name === infoName) reconciler.add(infoName);
  };
  const wakeForToken = ({ type }: { readonly type?: string }): void => {
    if (type === tokenType) reconciler.add(infoName);
  };
  infoCache.addHandler({ onAdd: wakeForInfo, onUpdate: wakeForInfo });
  secretCache.addHandler({ onAdd: wakeForToken, onUpdate: wakeForToken, onDelete: wakeForToken });
  return reconciler;

  async function reconcile(): Promise<Outcome> {
    const info = infoCache.get(infoNamespace, infoName);
    if (!info) return settled;
    const now = clock.now();
    const tokens = secretCache.list(tokenNamespace).filter(({ type }) => type === tokenType);
    const data = signedClusterInfo(info.data ?? {}, tokens, now);
    if (!deepEqual(data, info.data ?? {})) {
      try {
        await client.for(configmaps).update({ ...info, data });
      } catch (error) {
        if (!isStatus(error, 'NotFound')) throw error;
      }
    }
    const ends = tokens.map((token) => msLeft(token, now)).filter((left) => left !== undefined && left > 0);
    return ends.length === 0 ? settled : recheck(Math.min(...(ends as number[])));
  }
}
