import type { UserInfo } from '../../api/resource.ts';
import type { DeepMutable, KubeObject } from '../../machinery/object.ts';
import type { GroupKind } from '../../machinery/group-resource.ts';

/** One write (or connection) that admission is asked about. */
export interface AdmissionRequest {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';
  readonly user: UserInfo;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly kind: GroupKind;
  /** Empty for cluster-scoped resources. */
  readonly namespace: string;
  readonly name: string;
  readonly dryRun: boolean;
  /** The object as it would be written; plug-ins that admit may change it. Absent for deletions. */
  readonly object?: DeepMutable<KubeObject>;
  /** The object as it is. Absent for creations. */
  readonly oldObject?: KubeObject;
  warn(message: string): void;
}

/** One rule about writes. Both methods throw `StatusError` to refuse. */
export interface AdmissionPlugin {
  readonly name: string;
  /** Changes the object; runs before validation, once per attempt. */
  admit?(request: AdmissionRequest): void | Promise<void>;
  /** Looks at the final object. */
  validate?(request: AdmissionRequest): void | Promise<void>;
}

/** The plug-ins in the order in which they run: all that change objects, then all that only look. */
export interface AdmissionChain {
  admit(request: AdmissionRequest): Promise<void>;
  validate(request: AdmissionRequest): Promise<void>;
}

export function createAdmissionChain(plugins: readonly AdmissionPlugin[]): AdmissionChain {
  return {
    async admit(request) {
      for (const plugin of plugins) await plugin.admit?.(request);
    },
    async validate(request) {
      for (const plugin of plugins) await plugin.validate?.(request);
    },
  };
}
