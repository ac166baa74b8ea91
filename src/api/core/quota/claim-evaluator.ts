import type { KubeObject } from '../../../machinery/object.ts';
import { compareQuantities, type ResourceList } from '../pod-spec/quantities.ts';
import type { PersistentVolumeClaim, ScopedResourceSelectorRequirement } from '../v1.gen.ts';
import type { QuotaEvaluator } from './quota-evaluator.ts';
import { scopeMatches } from './scope-matches.ts';

const names = new Set(['count/persistentvolumeclaims', 'persistentvolumeclaims', 'requests.storage']);
const suffix = '.storageclass.storage.k8s.io/';
const betaAnnotation = 'volume.beta.kubernetes.io/storage-class';

function storageClass({ metadata, spec }: PersistentVolumeClaim): string {
  return metadata.annotations?.[betaAnnotation] ?? spec?.storageClassName ?? '';
}

/** What is asked for, or what an expansion that failed has already taken. */
function storage({ spec, status }: PersistentVolumeClaim): string | undefined {
  const asked = spec?.resources?.requests?.['storage'];
  const taken = status?.allocatedResources?.['storage'];
  return asked !== undefined && taken !== undefined && compareQuantities(taken, asked) > 0 ? taken : asked;
}

function usage(object: KubeObject): ResourceList {
  const claim = object as PersistentVolumeClaim;
  const name = storageClass(claim);
  const size = storage(claim);
  return {
    'count/persistentvolumeclaims': '1',
    persistentvolumeclaims: '1',
    ...(name !== '' && { [`${name}${suffix}persistentvolumeclaims`]: '1' }),
    ...(size !== undefined && { 'requests.storage': size }),
    ...(size !== undefined && name !== '' && { [`${name}${suffix}requests.storage`]: size }),
  };
}

function inScope(object: KubeObject, scope: ScopedResourceSelectorRequirement): boolean {
  if (scope.scopeName !== 'VolumeAttributesClass') return false;
  const { spec, status } = object as PersistentVolumeClaim;
  const classes = [
    spec?.volumeAttributesClassName,
    status?.currentVolumeAttributesClassName,
    status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
  ];
  const named = classes.filter((name) => name);
  return named.length === 0
    ? scopeMatches(scope, undefined)
    : named.some((name) => scopeMatches(scope, name));
}

/** Claims and the storage they ask for, altogether and by storage class. */
export const claimEvaluator: QuotaEvaluator = {
  charges: (operation, subresource) =>
    (operation === 'CREATE' || operation === 'UPDATE') && subresource === '',
  counts: (name) =>
    names.has(name) ||
    name.endsWith(`${suffix}persistentvolumeclaims`) ||
    name.endsWith(`${suffix}requests.storage`),
  usage,
  inScope,
};
