import { configmaps, namespaces } from '../../api/core/v1.gen.ts';
import { isStatus } from '../../machinery/status-error.ts';
import {
  settled,
  type Controller,
  type ControllerContext,
  type Outcome,
  type RunningController,
} from '../../reconcile/controller.ts';
import { deepEqual } from '../../reconcile/deep-equal.ts';
import { startReconciler } from '../../reconcile/reconciler.ts';

const name = 'kube-root-ca.crt';
const descriptionAnnotation = 'kubernetes.io/description';
const description =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.';

/** Keeps the cluster's certificate authority in config map `kube-root-ca.crt` of every namespace. `ca` is PEM. */
export function rootCaController(ca: string): Controller {
  return {
    name: 'root-ca-certificate-publisher-controller',
    aliases: ['root-ca-cert-publisher'],
    start: (context) => start(context, ca),
  };
}

function start(context: ControllerContext, ca: string): RunningController {
  const { client, informers } = context;
  const namespaceCache = informers.for(namespaces);
  const configMapCache = informers.for(configmaps);
  const configMaps = client.for(configmaps);
  const data = { 'ca.crt': ca };
  const reconciler = startReconciler(context, {
    name: 'root-ca-certificate-publisher-controller',
    caches: [namespaceCache, configMapCache],
    reconcile,
  });
  namespaceCache.addHandler({
    onAdd: ({ metadata }) => reconciler.add(metadata.name),
    onUpdate: ({ metadata }) => reconciler.add(metadata.name),
  });
  configMapCache.addHandler({
    onUpdate: ({ metadata }) => wake(metadata),
    onDelete: ({ metadata }) => wake(metadata),
  });
  return reconciler;

  function wake(changed: { readonly name: string; readonly namespace?: string }): void {
    if (changed.name === name) reconciler.add(changed.namespace ?? '');
  }

  async function reconcile(namespace: string): Promise<Outcome> {
    const holder = namespaceCache.get(undefined, namespace);
    if (!holder || holder.status?.phase === 'Terminating') return settled;
    const current = configMapCache.get(namespace, name);
    if (!current) {
      await create(namespace);
    } else if (!deepEqual(current.data, data) || !current.metadata.annotations?.[descriptionAnnotation]) {
      const annotations = { ...current.metadata.annotations, [descriptionAnnotation]: description };
      await configMaps.update({ ...current, metadata: { ...current.metadata, annotations }, data });
    }
    return settled;
  }

  async function create(namespace: string): Promise<void> {
    try {
      await configMaps.create({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name, namespace, annotations: { [descriptionAnnotation]: description } },
        data,
      });
    } catch (error) {
      if (!isStatus(error, 'AlreadyExists')) throw error;
    }
  }
}
