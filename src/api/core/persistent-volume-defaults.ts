import type { DeepMutable } from '../../machinery/object.ts';
import { roundResources } from './pod-spec/resource-rounding.ts';
import { defaultRemoteDisk } from './pod-spec/volume-defaults.ts';
import type { PersistentVolumeSpec } from './v1.gen.ts';

/** Sets the defaults of what a volume is, as a volume of its own or within an attachment. */
export function defaultPersistentVolumeSpec(spec: DeepMutable<PersistentVolumeSpec>): void {
  spec.volumeMode ??= 'Filesystem';
  roundResources(spec.capacity);
  if (spec.hostPath) spec.hostPath.type ??= '';
  defaultRemoteDisk(spec);
}
