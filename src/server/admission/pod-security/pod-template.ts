import type { Pod, PodTemplateSpec } from '../../../api/core/v1.gen.ts';
import type { KubeObject } from '../../../machinery/object.ts';
import type { CheckedPod } from './check.ts';

type Holder = KubeObject & {
  readonly template?: PodTemplateSpec;
  readonly spec?: {
    readonly template?: PodTemplateSpec;
    readonly jobTemplate?: { readonly spec?: { readonly template?: PodTemplateSpec } };
  };
};

const inSpec = ({ spec }: Holder): PodTemplateSpec | undefined => spec?.template;

/** Where the kinds that make pods keep their template. */
const templates: Readonly<Record<string, (object: Holder) => PodTemplateSpec | undefined>> = {
  replicationcontrollers: inSpec,
  podtemplates: ({ template }) => template,
  'replicasets.apps': inSpec,
  'deployments.apps': inSpec,
  'statefulsets.apps': inSpec,
  'daemonsets.apps': inSpec,
  'jobs.batch': inSpec,
  'cronjobs.batch': ({ spec }) => spec?.jobTemplate?.spec?.template,
};

/** Whether objects of a resource hold a template of pods. */
export function makesPods(groupResource: string): boolean {
  return Object.hasOwn(templates, groupResource);
}

/** The pods that an object will make; undefined when it has no template. */
export function templateOf(groupResource: string, object: KubeObject): CheckedPod | undefined {
  const template = templates[groupResource]?.(object);
  if (!template?.spec) return undefined;
  return { metadata: template.metadata ?? {}, spec: template.spec };
}

/** A pod as it is checked. */
export function checkedPod(object: KubeObject): CheckedPod {
  const { metadata, spec } = object as Pod;
  return { metadata, spec };
}
