import type { KubeObject } from '../../machinery/object.ts';
import type { Node } from '../../api/core/v1.gen.ts';

/** Nodes that may be added: copies of one, up to so many. */
export interface NodeGroup {
  readonly name: string;
  readonly template: Node;
  readonly min: number;
  readonly max: number;
}

/** What is asked about a snapshot. */
export interface WhatIf {
  readonly objects: readonly KubeObject[];
  /** Workloads that come on top. */
  readonly manifests: readonly KubeObject[];
  /** Nodes that are lost: by the value of their zone label, and by name. */
  readonly lostZones: readonly string[];
  readonly lostNodes: readonly string[];
  readonly groups: readonly NodeGroup[];
}

export interface PodFinding {
  readonly namespace: string;
  readonly name: string;
  /** `Deployment/web`, where something makes the pod anew. */
  readonly owner?: string;
  /** In the scheduler's words, or why there is no pod at all. */
  readonly reason: string;
}

export interface Amount {
  readonly requested: string;
  readonly allocatable: string;
  readonly percent: number;
}

export interface NodeFinding {
  readonly name: string;
  readonly zone?: string;
  /** The group of an added node. */
  readonly group?: string;
  readonly cpu: Amount;
  readonly memory: Amount;
  readonly pods: Amount;
}

/** The answer. */
export interface Findings {
  /** Whether every pod that is wanted has a node. */
  readonly fits: boolean;
  readonly pods: {
    readonly placed: number;
    readonly pending: number;
    readonly pendingBefore: number;
    readonly lost: number;
  };
  readonly pending: readonly PodFinding[];
  /** Pods of lost nodes that nothing makes anew. */
  readonly lost: readonly PodFinding[];
  readonly lostNodes: readonly string[];
  readonly nodesToAdd: readonly { readonly group: string; readonly count: number }[];
  readonly nodes: readonly NodeFinding[];
}
