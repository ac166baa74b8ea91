import { selectorFrom, selectorMatches } from '../../../machinery/selectors/label-selector.ts';
import type { KubeObject } from '../../../machinery/object.ts';
import { gatewayGroup, type Listener, type ParentRef } from './gateway-api.ts';
import { hostnamesInCommon } from './hostnames.ts';
import { condition, type PlannedCondition, type PlannedListener } from './plan-listeners.ts';

/** A route that wants to attach to a Gateway. */
export interface Attaching {
  readonly kind: 'HTTPRoute' | 'GRPCRoute';
  readonly namespace: string;
  readonly hostnames: readonly string[] | undefined;
  readonly parentRef: ParentRef;
}

export interface AttachingWorld {
  readonly gatewayNamespace: string;
  labelsOf(namespace: string): Readonly<Record<string, string>>;
}

export interface Attachment {
  readonly accepted: PlannedCondition;
  /** The listeners at which it serves, with the hosts there. */
  readonly at: readonly { readonly listener: PlannedListener; readonly hosts: readonly string[] }[];
}

/** Whether a reference of a route is to a Gateway. */
export function isGatewayRef({ group = gatewayGroup, kind = 'Gateway' }: ParentRef): boolean {
  return group === gatewayGroup && kind === 'Gateway';
}

/** To which listeners of a Gateway a route attaches, and if to none, why. */
export function attachRoute(
  route: Attaching,
  listeners: readonly PlannedListener[],
  world: AttachingWorld,
): Attachment {
  const { sectionName, port } = route.parentRef;
  const refuse = (reason: string, message: string): Attachment => ({
    accepted: condition('Accepted', 'False', reason, message),
    at: [],
  });
  const meant = listeners.filter(
    ({ listener }) =>
      (sectionName === undefined || listener.name === sectionName) &&
      (port === undefined || listener.port === port),
  );
  if (meant.length === 0)
    return refuse('NoMatchingParent', 'the Gateway has no listener of that name and port');
  const allowing = meant.filter(
    ({ kinds, listener }) => kinds.includes(route.kind) && allowsNamespace(listener, route.namespace, world),
  );
  if (allowing.length === 0)
    return refuse('NotAllowedByListeners', 'no listener allows routes of this kind from this namespace');
  const at = allowing
    .map((listener) => ({
      listener,
      hosts: hostnamesInCommon(listener.listener.hostname, route.hostnames),
    }))
    .filter(({ hosts }) => hosts.length > 0);
  if (at.length === 0)
    return refuse('NoMatchingListenerHostname', 'no listener has a hostname in common with the route');
  return { accepted: condition('Accepted', 'True', 'Accepted', 'the route is accepted'), at };
}

function allowsNamespace(
  { allowedRoutes }: Listener,
  namespace: string,
  { gatewayNamespace, labelsOf }: AttachingWorld,
): boolean {
  const { from = 'Same', selector } = allowedRoutes?.namespaces ?? {};
  if (from === 'All') return true;
  if (from === 'Selector')
    return selector !== undefined && selectorMatches(selectorFrom(selector), labelsOf(namespace));
  return from === 'Same' && namespace === gatewayNamespace;
}

/** Orders by age, then by name: of two that want the same the first has it. */
export function byAge({ metadata: a }: KubeObject, { metadata: b }: KubeObject): number {
  const [older, younger] = [a.creationTimestamp ?? '', b.creationTimestamp ?? ''];
  if (older !== younger) return older < younger ? -1 : 1;
  const [one, other] = [`${a.namespace}/${a.name}`, `${b.namespace}/${b.name}`];
  return one === other ? 0 : one < other ? -1 : 1;
}
