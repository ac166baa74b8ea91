import { createHash } from 'node:crypto';
import { timestamp } from '../../base/clock.ts';
import { defaultPod } from '../../api/core/pod-spec/pod-defaults.ts';
import { podQos } from '../../api/core/pod-spec/pod-qos.ts';
import type { Node, Pod } from '../../api/core/v1.gen.ts';
import { mutableCopy } from '../../machinery/mutable-copy.ts';
import type { Live } from '../../machinery/object.ts';
import { CONFIG_HASH, CONFIG_MIRROR, CONFIG_SEEN, CONFIG_SOURCE } from '../admission/static-pod.ts';

/** Makes of a manifest on a node what the node runs; its uid changes with what the manifest says. */
export function staticPod(
  manifest: Pod,
  on: {
    readonly nodeName: string;
    readonly file: string;
    /** Milliseconds since the epoch. */ readonly now: number;
  },
): Live<Pod> {
  const { nodeName, file, now } = on;
  const uid = createHash('md5')
    .update(JSON.stringify([nodeName, file, manifest]))
    .digest('hex');
  const pod = mutableCopy({
    ...manifest,
    metadata: {
      ...manifest.metadata,
      name: `${manifest.metadata.name}-${nodeName.toLowerCase()}`,
      namespace: manifest.metadata.namespace ?? 'default',
      annotations: {
        ...manifest.metadata.annotations,
        [CONFIG_HASH]: uid,
        [CONFIG_SEEN]: timestamp(now),
        [CONFIG_SOURCE]: 'file',
      },
    },
  });
  defaultPod(pod);
  pod.spec.nodeName = nodeName;
  pod.spec.tolerations = [...(pod.spec.tolerations ?? []), { operator: 'Exists', effect: 'NoExecute' }];
  pod.status = { phase: 'Pending', qosClass: podQos(pod.spec) };
  const { name } = pod.metadata;
  return {
    ...pod,
    metadata: { ...pod.metadata, name, uid, resourceVersion: '', creationTimestamp: timestamp(now) },
  };
}

/** What the API is to show of a static pod: everything but its uid, owned by the node. */
export function mirrorOf(pod: Live<Pod>, node: Live<Node>): Pod {
  const { name, namespace, labels, annotations } = pod.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      ...(namespace !== undefined && { namespace }),
      ...(labels && { labels }),
      annotations: { ...annotations, [CONFIG_MIRROR]: pod.metadata.uid },
      ownerReferences: [
        {
          apiVersion: 'v1',
          kind: 'Node',
          name: node.metadata.name,
          uid: node.metadata.uid,
          controller: true,
        },
      ],
    },
    spec: pod.spec,
  };
}

/** What is to become of what the API shows: it must show the static pod as it is, and nothing when there is none. */
export function planMirror(
  pod: Live<Pod> | undefined,
  mirror: Live<Pod> | undefined,
): 'none' | 'create' | 'delete' {
  if (!mirror) return pod ? 'create' : 'none';
  if (!pod || mirror.metadata.deletionTimestamp !== undefined) return 'delete';
  return isMirrorOf(mirror, pod) ? 'none' : 'delete';
}

/** Whether a mirror shows a static pod as it is now. */
export function isMirrorOf(mirror: Live<Pod>, pod: Live<Pod>): boolean {
  return mirror.metadata.annotations?.[CONFIG_MIRROR] === pod.metadata.uid;
}
