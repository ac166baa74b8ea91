import type { Node, PersistentVolume } from '../../api/core/v1.gen.ts';

/** The driver of the volumes that are kept on the machine itself: a provisioner's name, and that of a CSI driver. */
export const LOCAL_DRIVER = 'local.kanoe.io';

/** Label of nodes: those of one value share a machine, and so its local volumes. */
export const MACHINE_LABEL = 'topology.kanoe.io/machine';

/** Whether a volume is kept on a machine by this driver. */
export function isLocalVolume({ spec }: PersistentVolume, machine: string): boolean {
  return spec.csi?.driver === LOCAL_DRIVER && machineOf(spec.nodeAffinity) === machine;
}

/** The machine that a node is part of. */
export function machineOfNode({ metadata }: Node): string | undefined {
  return metadata.labels?.[MACHINE_LABEL];
}

/** Says that a volume can be had only on nodes of a machine. */
export function onMachine(machine: string): NonNullable<PersistentVolume['spec']['nodeAffinity']> {
  const expression = { key: MACHINE_LABEL, operator: 'In', values: [machine] } as const;
  return { required: { nodeSelectorTerms: [{ matchExpressions: [expression] }] } };
}

function machineOf(affinity: PersistentVolume['spec']['nodeAffinity']): string | undefined {
  for (const term of affinity?.required?.nodeSelectorTerms ?? [])
    for (const { key, values } of term.matchExpressions ?? []) if (key === MACHINE_LABEL) return values?.[0];
  return undefined;
}
