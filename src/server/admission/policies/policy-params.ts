import type { ParamKind, ParamRef } from '../../../api/admissionregistration/v1.gen.ts';
import type { KubeObject } from '../../../machinery/object.ts';
import { selectorFrom, selectorMatches } from '../../../machinery/selectors/label-selector.ts';

/** The objects of one kind. */
export interface ParamStore {
  readonly namespaced: boolean;
  /** Of a namespace, or all when the kind has none. */
  list(namespace: string): Iterable<KubeObject>;
  get(namespace: string, name: string): KubeObject | undefined;
  /** An object as expressions see it. */
  document(object: KubeObject): unknown;
}

/** Finds the objects of a kind; undefined for a kind that is not served. */
export type ParamSource = (apiVersion: string, kind: string) => ParamStore | undefined;

/** A policy or binding that cannot be used as it is. The message is upstream's. */
export class PolicyConfigurationError extends Error {
  override readonly name = 'PolicyConfigurationError';
}

/** Which parameters are looked for. */
export interface ParamQuestion {
  readonly kind: ParamKind | undefined;
  readonly ref: ParamRef | undefined;
  /** Of the request; empty when it has none. */
  readonly namespace: string;
}

/**
 * The parameters that a binding chooses, each to be evaluated by itself; one null when there are none to choose. Throws
 * {@link PolicyConfigurationError}.
 */
export function collectParams(store: ParamStore | undefined, question: ParamQuestion): unknown[] {
  const { kind, ref, namespace } = question;
  if (!kind || !ref) return [null];
  if (!store) throw unknownKind(kind);
  const own = ref.namespace ?? '';
  if (own !== '' && !store.namespaced) {
    throw new PolicyConfigurationError(
      'paramRef.namespace must not be provided for a cluster-scoped `paramKind`',
    );
  }
  if (store.namespaced && own === '' && namespace === '') {
    throw new PolicyConfigurationError(
      'cannot use namespaced paramRef in policy binding that matches cluster-scoped resources',
    );
  }
  const within = store.namespaced ? own || namespace : '';
  const found = chosen(store, ref, within);
  if (found.length === 0 && ref.parameterNotFoundAction === 'Deny') {
    throw new PolicyConfigurationError(
      'no params found for policy binding with `Deny` parameterNotFoundAction',
    );
  }
  return found.map((object) => store.document(object));
}

function chosen(store: ParamStore, { name, selector }: ParamRef, namespace: string): KubeObject[] {
  if (name) {
    const object = store.get(namespace, name);
    return object ? [object] : [];
  }
  const wanted = selectorFrom(selector);
  return [...store.list(namespace)].filter(({ metadata }) => selectorMatches(wanted, metadata.labels));
}

/** A `paramKind` that is not served. */
export function unknownKind({ apiVersion = '', kind = '' }: ParamKind): PolicyConfigurationError {
  const [version = '', group = ''] = apiVersion.split('/').reverse();
  const shown = `${group}/${version}, Kind=${kind}`;
  return new PolicyConfigurationError(`failed to find resource referenced by paramKind: '${shown}'`);
}
