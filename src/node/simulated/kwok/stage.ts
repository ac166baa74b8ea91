import type { KubeObject, ResourceType } from '../../../machinery/object.ts';

/** KWOK's `Stage` (kwok.x-k8s.io/v1alpha1): when an object of a kind looks like this, change it so after a while. */
export interface Stage extends KubeObject {
  readonly spec: StageSpec;
}

export interface StageSpec {
  /** `apiGroup` is an apiVersion, `v1` when absent. */
  readonly resourceRef: { readonly apiGroup?: string; readonly kind: string };
  /** Without one the stage matches nothing. */
  readonly selector?: StageSelector;
  readonly weight?: number;
  readonly weightFrom?: ExpressionSource;
  readonly delay?: StageDelay;
  readonly next?: StageNext;
  /** What newer versions of KWOK write instead of `next`. */
  readonly steps?: readonly StageStep[];
  readonly immediateNextStage?: boolean;
}

export interface StageSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchAnnotations?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly StageRequirement[];
}

/** `key` is a jq expression over the object, as is that of `jq`; or `cel`, or `expression`, is a condition over `self`. */
export interface StageRequirement {
  readonly key?: string;
  readonly operator?: string;
  readonly values?: readonly string[];
  readonly jq?: { readonly key?: string; readonly operator?: string; readonly values?: readonly string[] };
  readonly cel?: { readonly expression: string };
  readonly expression?: string;
}

/** A value computed from the object: by jq (`expressionFrom` or `jq`), or by CEL over `self`. */
export interface ExpressionSource {
  readonly expressionFrom?: string;
  readonly jq?: { readonly expression: string };
  readonly cel?: { readonly expression: string };
}

export interface StageDelay {
  readonly durationMilliseconds?: number;
  readonly durationFrom?: ExpressionSource;
  readonly jitterDurationMilliseconds?: number;
  readonly jitterDurationFrom?: ExpressionSource;
}

export interface StageNext extends StageStep {
  readonly patches?: readonly StagePatch[];
  readonly statusTemplate?: string;
  readonly statusSubresource?: string;
  readonly statusPatchAs?: { readonly username: string };
  readonly steps?: readonly StageStep[];
}

export interface StageStep {
  readonly event?: { readonly type?: string; readonly reason?: string; readonly message?: string };
  readonly finalizers?: StageFinalizers;
  readonly delete?: boolean;
  readonly patch?: StagePatch;
  readonly apply?: StageApply;
}

/** Another object that the stage makes, or changes when there is one of its name. */
export interface StageApply {
  /** Yields the whole object, with apiVersion and kind. */
  readonly template?: string;
  /** How one that exists is changed; `merge` when absent. */
  readonly type?: 'json' | 'merge' | 'strategic' | 'apply';
  readonly subresource?: string;
}

export interface StageFinalizers {
  readonly add?: readonly { readonly value?: string }[];
  readonly remove?: readonly { readonly value?: string }[];
  readonly empty?: boolean;
}

export interface StagePatch {
  readonly subresource?: string;
  /** The member of the object that the template's output is. */
  readonly root?: string;
  readonly template?: string;
  readonly type?: 'json' | 'merge' | 'strategic';
  readonly impersonation?: { readonly username: string };
}

export const KWOK_GROUP = 'kwok.x-k8s.io';
export const KWOK_VERSION = 'v1alpha1';

export const stages: ResourceType<Stage> = {
  group: KWOK_GROUP,
  version: KWOK_VERSION,
  resource: 'stages',
  kind: 'Stage',
  namespaced: false,
  singular: 'stage',
  shortNames: [],
  categories: [],
};

/** Nodes that have this annotation with the value `fake` are simulated. */
export const NODE_ANNOTATION = 'kwok.x-k8s.io/node';

/** Objects that have this annotation with the value `custom` are left alone. */
export const STATUS_ANNOTATION = 'kwok.x-k8s.io/status';

/** Marks what `kanoe scale` made under one name, as kwokctl does. */
export const SCALE_LABEL = 'kwok.x-k8s.io/kwokctl-scale';
