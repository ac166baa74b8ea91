import { namespaces } from '../../../api/core/v1.gen.ts';
import type { LabelSelector } from '../../../machinery/meta/v1.gen.ts';
import type { KubeObject } from '../../../machinery/object.ts';
import { selectorFrom, selectorMatches, type Selector } from '../../../machinery/selectors/label-selector.ts';
import { newNotFound } from '../../../machinery/status/errors.ts';
import type { StatusError } from '../../../machinery/status-error.ts';
import type { AdmissionRequest } from '../admission-chain.ts';
import type { Lookup } from '../lookup.ts';

/** Whether a selector chooses a request; an error counts only for what matches otherwise. */
export type Selected = boolean | StatusError;

/** Whether the labels of the object, new or old, are selected. An empty selector selects what has no labels, too. */
export function objectSelected(selector: LabelSelector | undefined, request: AdmissionRequest): boolean {
  const wanted = selectorFrom(selector ?? {});
  if (isEmpty(wanted)) return true;
  return [request.object, request.oldObject].some(
    (object) => object?.metadata !== undefined && selectorMatches(wanted, object.metadata.labels),
  );
}

/** Whether the request's namespace is selected. Requests without a namespace always are. */
export function namespaceSelected(
  selector: LabelSelector | undefined,
  request: AdmissionRequest,
  lookup: Lookup,
): Selected {
  const { group, resource, subresource, namespace, operation, object } = request;
  const isNamespace = resource === 'namespaces' && group === '';
  if (namespace === '' && !isNamespace) return true;
  const wanted = selectorFrom(selector ?? {});
  if (isEmpty(wanted)) return true;
  const written = isNamespace && subresource === '' && (operation === 'CREATE' || operation === 'UPDATE');
  const found: KubeObject | undefined = written ? object : lookup.get(namespaces, '', namespace);
  if (!found) return newNotFound({ group: '', resource: 'namespaces' }, namespace);
  return selectorMatches(wanted, found.metadata.labels);
}

function isEmpty({ requirements, nothing }: Selector): boolean {
  return requirements.length === 0 && !nothing;
}
