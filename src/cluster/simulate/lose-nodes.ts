import { nodes, pods, type Pod } from '../../api/core/v1.gen.ts';
import type { Client } from '../../client/client.ts';
import type { KubeObject, Live } from '../../machinery/object.ts';
import { unlessGone } from '../../machinery/unless-gone.ts';
import { absentOwner, podNames, zoneOf } from './survey.ts';
import type { PodFinding, WhatIf } from './what-if.ts';

/** Which nodes are gone, and the pods that are gone with them for good. */
export interface Loss {
  readonly lostNodes: readonly string[];
  readonly lost: readonly PodFinding[];
}

/**
 * Deletes nodes with their pods. Controllers of the world make theirs anew; pods whose owner the snapshot lacks are made
 * anew here, for whoever would do so, unless they belong to the node.
 */
export async function loseNodes(
  client: Client,
  { lostNodes, lostZones }: Pick<WhatIf, 'lostNodes' | 'lostZones'>,
): Promise<Loss> {
  const names = new Set(
    (await client.for(nodes).list()).items
      .filter((node) => lostNodes.includes(node.metadata.name) || lostZones.includes(zoneOf(node) ?? ''))
      .map(({ metadata }) => metadata.name),
  );
  const lost: PodFinding[] = [];
  const anew: KubeObject[] = [];
  // Nodes first: a daemon would come back.
  for (const name of names) await unlessGone(client.for(nodes).delete({ name }));
  for (const pod of (await client.for(pods).list()).items) {
    if (!names.has(pod.spec.nodeName ?? '')) continue;
    const { namespace = '', name } = pod.metadata;
    const { owner } = podNames(pod);
    if (!isFinished(pod) && !isStatic(pod)) {
      if (owner === undefined)
        lost.push({ ...podNames(pod), reason: `it was on ${pod.spec.nodeName}, and nothing makes it anew` });
      else if (absentOwner(pod) !== undefined && !owner.startsWith('DaemonSet/')) anew.push(successorOf(pod));
    }
    await unlessGone(client.for(pods).delete({ namespace, name }, { gracePeriodSeconds: 0 }));
  }
  for (const pod of anew) await client.for<KubeObject>(pods).create(pod, { fieldValidation: 'Ignore' });
  return { lostNodes: [...names].sort(), lost };
}

function isFinished({ status }: Live<Pod>): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed';
}

/** A node's own pod goes with the node. */
function isStatic({ metadata }: Live<Pod>): boolean {
  return metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined;
}

/** The same pod again, without a node. */
function successorOf({ apiVersion, kind, metadata, spec }: Live<Pod>): KubeObject {
  const { name, namespace, labels, annotations } = metadata;
  const { nodeName: _nodeName, ...free } = spec;
  const pod = {
    apiVersion,
    kind,
    metadata: {
      name,
      ...(namespace !== undefined && { namespace }),
      ...(labels && { labels }),
      ...(annotations && { annotations }),
    },
    spec: free,
  };
  return pod;
}
