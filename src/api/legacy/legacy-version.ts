import type { DeepMutable, KubeObject, ResourceType } from '../../machinery/object.ts';
import { apiVersionOf } from '../../machinery/object.ts';
import { type AnyResource, type ResourceVersion, storedType } from '../resource.ts';

/** An object whose fields are those of the version it is in. */
export type Form = DeepMutable<KubeObject> & { spec?: unknown; status?: unknown };

/** How a kind was served in a version that Kubernetes has removed. */
export interface LegacyForm {
  readonly group: string;
  readonly version: string;
  /** The package of its messages: `io.k8s.api.apps.v1beta1`. */
  readonly from: string;
  /** The minor releases of Kubernetes 1 that deprecated and removed it. */
  readonly deprecated: number;
  readonly removed: number;
  /** Deletions leave dependents behind unless they say otherwise. */
  readonly orphans?: true;
  /** The defaults that differ from those of the stored version. */
  defaults?(object: Form): void;
  /** Turns the fields into those of the stored version, in place. */
  toStored?(object: Form): void;
  /** Turns the stored version's fields back, in place. */
  fromStored?(object: Form): void;
}

/** The version as the server serves it: converted to the stored one and back. */
export function legacyVersion(definition: AnyResource, form: LegacyForm): ResourceVersion<KubeObject> {
  const stored = storedType(definition);
  const type: ResourceType<KubeObject> = { ...stored, group: form.group, version: form.version };
  const current = definition.versions[definition.storage];
  const apiVersion = apiVersionOf(form);
  return {
    type,
    schema: `${form.from}.${stored.kind}`,
    deprecated: `${apiVersion} ${stored.kind} is deprecated in v1.${form.deprecated}+, unavailable in v1.${form.removed}+; use ${apiVersionOf(stored)} ${stored.kind}`,
    ...(form.orphans && { defaultPropagation: 'orphan' }),
    ...(form.defaults && { defaults: form.defaults }),
    toStorage(object) {
      form.toStored?.(object);
      object.apiVersion = apiVersionOf(stored);
      current?.defaults?.(object);
      return object;
    },
    fromStorage(object) {
      form.fromStored?.(object);
      object.apiVersion = apiVersion;
      return object;
    },
  };
}
