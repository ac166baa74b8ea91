import { deviceclasses, type DeviceClass } from '../../../api/resource/v1.gen.ts';
import type { Live } from '../../../machinery/object.ts';
import type { InformerFactory } from '../../../reconcile/informer.ts';

const implicitPrefix = 'deviceclass.resource.kubernetes.io/';

/** The class whose devices serve an extended resource on nodes that do not advertise it (KEP-5004). */
export type ExtendedClassLookup = (resource: string) => DeviceClass | undefined;

/** Looks classes up by the resource that they name and by `deviceclass.resource.kubernetes.io/<class>`. */
export function extendedClassLookup(informers: InformerFactory): ExtendedClassLookup {
  const classes = informers.for(deviceclasses);
  let known: ReadonlyMap<string, DeviceClass> | undefined;
  const forget = (): void => {
    known = undefined;
  };
  classes.addHandler({ onAdd: forget, onUpdate: forget, onDelete: forget });
  return (resource) => {
    if (!resource.includes('/')) return undefined;
    known ??= classesByResource(classes.list());
    return known.get(resource);
  };
}

/** Of several classes with one name the youngest counts; of those of one second the first by name. */
export function classesByResource(classes: readonly Live<DeviceClass>[]): ReadonlyMap<string, DeviceClass> {
  const found = new Map<string, DeviceClass>();
  const oldestFirst = classes.toSorted(({ metadata: a }, { metadata: b }) => {
    if (a.creationTimestamp !== b.creationTimestamp)
      return a.creationTimestamp < b.creationTimestamp ? -1 : 1;
    return a.name > b.name ? -1 : 1;
  });
  for (const one of oldestFirst) {
    found.set(`${implicitPrefix}${one.metadata.name}`, one);
    if (one.spec.extendedResourceName) found.set(one.spec.extendedResourceName, one);
  }
  return found;
}
