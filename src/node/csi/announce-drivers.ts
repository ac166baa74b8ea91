import { nodes } from '../../api/core/v1.gen.ts';
import { csinodes, type CSINode, type CSINodeDriver } from '../../api/storage/v1.gen.ts';
import type { Client } from '../../client/client.ts';
import { isStatus } from '../../machinery/status-error.ts';
import { deepEqual } from '../../reconcile/deep-equal.ts';
import { LOCAL_DRIVER, MACHINE_LABEL } from '../local-storage/local-driver.ts';
import type { CsiDriverOnNode } from './csi-drivers.ts';

const NODE_ID_ANNOTATION = 'csi.volume.kubernetes.io/nodeid';

/**
 * Writes down which drivers a node has: in its CSINode object, and for their controllers in the Node's labels (where the
 * node is in a driver's topology) and annotation. The drivers of the machine itself are among them.
 */
export async function announceDrivers(
  client: Client,
  nodeName: string,
  drivers: readonly CsiDriverOnNode[],
): Promise<void> {
  const node = await client.for(nodes).get({ name: nodeName });
  const machine = node.metadata.labels?.[MACHINE_LABEL];
  const own: readonly CSINodeDriver[] =
    machine === undefined ? [] : [{ name: LOCAL_DRIVER, nodeID: machine, topologyKeys: [MACHINE_LABEL] }];
  await writeCsiNode(client, node, [...own, ...drivers.map(entryOf)]);
  const labels = Object.assign(
    {},
    ...drivers.map(({ info }) => info.accessible_topology?.segments),
  ) as Readonly<Record<string, string>>;
  const ids = Object.fromEntries(drivers.map(({ name, info }) => [name, info.node_id]));
  const held = node.metadata.annotations?.[NODE_ID_ANNOTATION];
  const wanted = drivers.length === 0 ? undefined : JSON.stringify(ids);
  const labelled = Object.entries(labels).every(([key, value]) => node.metadata.labels?.[key] === value);
  if (labelled && held === wanted) return;
  const patch = { metadata: { labels, annotations: { [NODE_ID_ANNOTATION]: wanted ?? null } } };
  await client.for(nodes).patch({ name: nodeName }, patch, { type: 'application/merge-patch+json' });
}

function entryOf({ name, info }: CsiDriverOnNode): CSINodeDriver {
  const { node_id: nodeID, max_volumes_per_node: count, accessible_topology: topology } = info;
  const topologyKeys = Object.keys(topology?.segments ?? {}).toSorted();
  return {
    name,
    nodeID,
    topologyKeys,
    ...(count > 0 && { allocatable: { count } }),
  };
}

async function writeCsiNode(
  client: Client,
  { metadata: { name, uid } }: { readonly metadata: { readonly name: string; readonly uid: string } },
  drivers: readonly CSINodeDriver[],
): Promise<void> {
  const resource = client.for(csinodes);
  const wanted: CSINode = {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'CSINode',
    metadata: { name, ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid }] },
    spec: { drivers },
  };
  try {
    await resource.create(wanted);
    return;
  } catch (error) {
    if (!isStatus(error, 'AlreadyExists')) throw error;
  }
  const held = await resource.get({ name });
  if (held.metadata.ownerReferences?.some((owner) => owner.uid === uid) !== true) {
    await resource.delete({ name });
    await resource.create(wanted);
  } else if (!deepEqual(held.spec.drivers, drivers)) await resource.update({ ...held, spec: { drivers } });
}
