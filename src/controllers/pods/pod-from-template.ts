import type { Pod, PodTemplateSpec } from '../../api/core/v1.gen.ts';
import type { KubeObject, Live } from '../../machinery/object.ts';
import { controllerReference } from '../../reconcile/owner.ts';

/** The pod that a controller creates for `owner` from its template; the server completes the name. */
export function podFromTemplate(template: PodTemplateSpec, owner: Live<KubeObject>): Pod {
  const { labels, annotations, finalizers } = template.metadata ?? {};
  const { name, namespace = '' } = owner.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      namespace,
      generateName: `${name}-`,
      ...(labels && { labels }),
      ...(annotations && { annotations }),
      ...(finalizers && { finalizers }),
      ownerReferences: [controllerReference(owner)],
    },
    spec: template.spec,
  };
}
