import type { Node } from '../../../api/core/v1.gen.ts';
import type { CSIDriver, CSIStorageCapacity, StorageClass } from '../../../api/storage/v1.gen.ts';
import { compareQuantities, parseQuantity } from '../../../machinery/quantity.ts';
import { selectorFrom, selectorMatches } from '../../../machinery/selectors/label-selector.ts';
import type { Claim } from './claim-volumes.ts';
import { claimedSize } from './volume-candidates.ts';

/** Provisioner of classes whose volumes are made by hand. */
const noProvisioner = 'kubernetes.io/no-provisioner';

/** Why a volume cannot be made for a claim where the node reaches it. */
export type ProvisioningProblem = 'no-volume' | 'no-space';

export interface ProvisioningLookup {
  driver(name: string): CSIDriver | undefined;
  capacities(): readonly CSIStorageCapacity[];
}

export function provisioningProblem(
  claim: Claim,
  storageClass: StorageClass,
  { node, lookup }: { readonly node: Node; readonly lookup: ProvisioningLookup },
): ProvisioningProblem | undefined {
  const { provisioner, allowedTopologies } = storageClass;
  if (!provisioner || provisioner === noProvisioner) return 'no-volume';
  if (!isAllowedTopology(allowedTopologies, node)) return 'no-volume';
  return hasRoom(claim, storageClass, { node, lookup }) ? undefined : 'no-space';
}

/** Whether the node has the labels of one of the terms; no terms allow every node. */
export function isAllowedTopology(terms: StorageClass['allowedTopologies'], node: Node): boolean {
  if (!terms || terms.length === 0) return true;
  return terms.some(({ matchLabelExpressions = [] }) =>
    matchLabelExpressions.every(({ key, values }) => {
      const value = node.metadata.labels?.[key];
      return value !== undefined && values.includes(value);
    }),
  );
}

/** Drivers that publish capacities must have published enough in one place that the node reaches (KEP-1472). */
function hasRoom(
  claim: Claim,
  { metadata, provisioner }: StorageClass,
  { node, lookup }: { readonly node: Node; readonly lookup: ProvisioningLookup },
): boolean {
  if (!claim.spec.resources?.requests?.['storage']) return true;
  if (!lookup.driver(provisioner)?.spec.storageCapacity) return true;
  const size = claimedSize(claim);
  return lookup.capacities().some(({ storageClassName, capacity, maximumVolumeSize, nodeTopology }) => {
    const limit = maximumVolumeSize ?? capacity;
    return (
      storageClassName === metadata.name &&
      limit !== undefined &&
      compareQuantities(parseQuantity(limit), size) >= 0 &&
      nodeTopology !== undefined &&
      selectorMatches(selectorFrom(nodeTopology), node.metadata.labels)
    );
  });
}
