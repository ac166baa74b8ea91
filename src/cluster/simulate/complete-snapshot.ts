import type { DaemonSet, Deployment, ReplicaSet, StatefulSet } from '../../api/apps/v1.gen.ts';
import type { OwnerReference } from '../../machinery/meta/v1.gen.ts';
import type { KubeObject } from '../../machinery/object.ts';
import { selectorFrom, selectorMatches } from '../../machinery/selectors/label-selector.ts';

const hashLabel = 'pod-template-hash';

/**
 * A snapshot that lacks what workloads remember their pods by (`kubectl get nodes,pods,deployments,statefulsets` says
 * nothing of replica sets and revisions), completed so that no controller rolls pods for that alone: Deployments get the
 * replica sets that own their pods; StatefulSets and DaemonSets without any revision update on deletion only.
 */
export function completeSnapshot(objects: readonly KubeObject[]): readonly KubeObject[] {
  const uids = new Set(objects.map(({ metadata }) => metadata.uid));
  const revised = new Set(
    objects
      .filter(({ kind }) => kind === 'ControllerRevision')
      .flatMap(({ metadata }) => (metadata.ownerReferences ?? []).map(({ uid }) => uid)),
  );
  const patient = objects.map((object) => {
    const isSet = isOf(object, 'StatefulSet') || isOf(object, 'DaemonSet');
    return isSet && !revised.has(object.metadata.uid ?? '') ? updatingOnDelete(object) : object;
  });
  return [...patient, ...missingReplicaSets(objects, uids)];
}

function isOf({ apiVersion, kind }: KubeObject, wanted: string): boolean {
  return kind === wanted && apiVersion === 'apps/v1';
}

function updatingOnDelete(object: KubeObject): KubeObject {
  const { spec } = object as (StatefulSet | DaemonSet) & KubeObject;
  const changed = { ...object, spec: { ...spec, updateStrategy: { type: 'OnDelete' } } };
  return changed;
}

function missingReplicaSets(
  objects: readonly KubeObject[],
  uids: ReadonlySet<string | undefined>,
): readonly KubeObject[] {
  const deployments = objects.filter((object) => isOf(object, 'Deployment')) as (Deployment & KubeObject)[];
  if (deployments.length === 0) return [];
  const made = new Map<string, { readonly set: ReplicaSet & KubeObject; count: number }>();
  for (const pod of objects) {
    const owner = pod.kind === 'Pod' ? ownerOf(pod) : undefined;
    if (!owner || owner.kind !== 'ReplicaSet' || uids.has(owner.uid)) continue;
    const known = made.get(owner.uid);
    if (known) known.count++;
    const deployment = known ? undefined : deployments.find((one) => selects(one, pod));
    if (deployment) made.set(owner.uid, { set: replicaSetOf(deployment, owner, pod), count: 1 });
  }
  return [...made.values()].map(({ set, count }) => ({ ...set, spec: { ...set.spec, replicas: count } }));
}

function ownerOf({ metadata }: KubeObject): OwnerReference | undefined {
  return metadata.ownerReferences?.find(({ controller }) => controller === true);
}

function selects({ metadata, spec }: Deployment & KubeObject, pod: KubeObject): boolean {
  return (
    metadata.namespace === pod.metadata.namespace &&
    selectorMatches(selectorFrom(spec?.selector), pod.metadata.labels)
  );
}

function replicaSetOf(
  { metadata, spec }: Deployment & KubeObject,
  owner: OwnerReference,
  pod: KubeObject,
): ReplicaSet & KubeObject {
  const hash = pod.metadata.labels?.[hashLabel];
  const label = hash === undefined ? {} : { [hashLabel]: hash };
  const labels = { ...spec?.template.metadata?.labels, ...label };
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: owner.name,
      uid: owner.uid,
      labels,
      ...(metadata.namespace !== undefined && { namespace: metadata.namespace }),
      annotations: {
        'deployment.kubernetes.io/revision':
          metadata.annotations?.['deployment.kubernetes.io/revision'] ?? '1',
      },
      ...(metadata.uid !== undefined && {
        ownerReferences: [
          {
            apiVersion: 'apps/v1',
            kind: 'Deployment',
            name: metadata.name ?? '',
            uid: metadata.uid,
            controller: true,
            blockOwnerDeletion: true,
          },
        ],
      }),
    },
    spec: {
      selector: {
        ...spec?.selector,
        matchLabels: { ...spec?.selector.matchLabels, ...label },
      },
      ...(spec && { template: { ...spec.template, metadata: { ...spec.template.metadata, labels } } }),
    },
  };
}
