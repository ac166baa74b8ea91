import type { ServedResource } from '../../client/discovery.ts';

/** What is restored before the rest, in this order: others refer to it. */
const firstResources: readonly string[] = [
  'customresourcedefinitions.apiextensions.k8s.io',
  'namespaces',
  'nodes',
  'priorityclasses.scheduling.k8s.io',
  'runtimeclasses.node.k8s.io',
  'storageclasses.storage.k8s.io',
  'csidrivers.storage.k8s.io',
  'csinodes.storage.k8s.io',
  'deviceclasses.resource.k8s.io',
  'limitranges',
  'serviceaccounts',
  'secrets',
  'configmaps',
  'persistentvolumes',
  'persistentvolumeclaims',
  'services',
];

/** What says nothing about a cluster's state, or is made anew by whoever needs it. */
const leftOut = new Set([
  'events',
  'events.events.k8s.io',
  'leases.coordination.k8s.io',
  'componentstatuses',
  'apiservices.apiregistration.k8s.io',
  'endpoints',
  'ipaddresses.networking.k8s.io',
  'servicecidrs.networking.k8s.io',
  'certificatesigningrequests.certificates.k8s.io',
]);

/** `deployments.apps`, `pods`. */
export function resourceName({ type }: ServedResource): string {
  return type.group === '' ? type.resource : `${type.resource}.${type.group}`;
}

/** Of what a server serves, that which makes up a snapshot, in the order of restoring. */
export function snapshotResources(served: readonly ServedResource[]): readonly ServedResource[] {
  const kept = served.filter(
    (one) =>
      one.preferred &&
      one.verbs.includes('list') &&
      one.verbs.includes('create') &&
      one.verbs.includes('watch') &&
      !leftOut.has(resourceName(one)),
  );
  return kept.toSorted((a, b) => rank(a) - rank(b));
}

function rank(served: ServedResource): number {
  const name = resourceName(served);
  const at = firstResources.indexOf(name);
  if (at >= 0) return at;
  return name === 'pods' ? firstResources.length + 1 : firstResources.length;
}
