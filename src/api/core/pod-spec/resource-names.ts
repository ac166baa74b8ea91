import { qualifiedNameErrors } from '../../../machinery/validation/names.ts';

const containerResources = new Set(['cpu', 'memory', 'ephemeral-storage']);
const objectCounts = new Set([
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
]);
const standardResources = new Set([
  ...containerResources,
  ...objectCounts,
  'requests.cpu',
  'requests.memory',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
  'storage',
  'requests.storage',
]);

/** `hugepages-2Mi` and the like. */
export function isHugePage(name: string): boolean {
  return name.startsWith('hugepages-');
}

/** A name without a domain that upstream knows (quota names included). */
export function isStandardResource(name: string): boolean {
  return standardResources.has(name) || isHugePage(name) || name.startsWith('requests.hugepages-');
}

export function isStandardContainerResource(name: string): boolean {
  return containerResources.has(name) || isHugePage(name);
}

/** Without a domain, or of kubernetes.io. */
export function isNativeResource(name: string): boolean {
  return !name.includes('/') || name.includes('kubernetes.io/');
}

/** Of a domain of its own, as devices are: counted, never overcommitted. */
export function isExtendedResource(name: string): boolean {
  if (isNativeResource(name) || name.startsWith('requests.')) return false;
  return qualifiedNameErrors(`requests.${name}`).length === 0;
}

/** Whether requests may be lower than limits. */
export function mayOvercommit(name: string): boolean {
  return isNativeResource(name) && !isHugePage(name);
}

/** Whether only whole numbers make sense. */
export function isIntegerResource(name: string): boolean {
  return objectCounts.has(name) || isExtendedResource(name);
}
