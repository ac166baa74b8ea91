import type { KubeObject, Live, ResourceType } from '../../machinery/object.ts';
import type { AdmissionRequest } from './admission-chain.ts';

/** Whether an object of this type itself is to be created. */
export function isCreationOf<T>(type: ResourceType<T>, request: AdmissionRequest): boolean {
  return request.operation === 'CREATE' && isOf(type, request);
}

/** Whether the request is about an object of this type itself, not about a subresource. */
export function isOf<T>({ group, resource }: ResourceType<T>, request: AdmissionRequest): boolean {
  return request.group === group && request.resource === resource && request.subresource === '';
}

/** Of several default classes the youngest counts; of those of one second the first by name. */
export function newestClass<T extends KubeObject>(
  classes: Iterable<Live<T>>,
  isDefault: (candidate: Live<T>) => boolean,
): Live<T> | undefined {
  let newest: Live<T> | undefined;
  for (const candidate of classes) {
    if (!isDefault(candidate)) continue;
    if (!newest || isBefore(candidate, newest)) newest = candidate;
  }
  return newest;
}

function isBefore({ metadata: a }: Live<KubeObject>, { metadata: b }: Live<KubeObject>): boolean {
  if (a.creationTimestamp !== b.creationTimestamp) return a.creationTimestamp > b.creationTimestamp;
  return a.name < b.name;
}
