import type {
  CapacityRequirements,
  DeviceClass,
  DeviceSelector,
  DeviceToleration,
  ResourceClaim,
} from '../../../api/resource/v1.gen.ts';

/** One way to satisfy a request: itself, or one of its `firstAvailable` subrequests. */
export interface Alternative {
  /** `request` or `request/subrequest`. */
  readonly name: string;
  readonly deviceClass: DeviceClass;
  readonly mode: 'ExactCount' | 'All';
  readonly count: number;
  readonly adminAccess: boolean;
  readonly selectors: readonly DeviceSelector[];
  readonly tolerations: readonly DeviceToleration[];
  readonly capacity: CapacityRequirements | undefined;
}

/** A request with its alternatives, best first. */
export interface ParsedRequest {
  readonly name: string;
  readonly alternatives: readonly Alternative[];
}

export type ClassLookup = (name: string) => DeviceClass | undefined;

/** Reads a claim's requests; a string says, in upstream's words, which class does not exist. */
export function parseRequests(
  { spec }: ResourceClaim,
  classes: ClassLookup,
): readonly ParsedRequest[] | string {
  const parsed: ParsedRequest[] = [];
  for (const { name, exactly, firstAvailable } of spec.devices.requests) {
    const wanted = exactly
      ? [{ ...exactly, name }]
      : (firstAvailable ?? []).map((sub) => ({ ...sub, adminAccess: false, name: `${name}/${sub.name}` }));
    const alternatives: Alternative[] = [];
    for (const one of wanted) {
      const deviceClass = classes(one.deviceClassName);
      if (!deviceClass) return `request ${one.name}: device class ${one.deviceClassName} does not exist`;
      alternatives.push({
        name: one.name,
        deviceClass,
        mode: one.allocationMode === 'All' ? 'All' : 'ExactCount',
        count: one.count ?? 1,
        adminAccess: one.adminAccess ?? false,
        selectors: one.selectors ?? [],
        tolerations: one.tolerations ?? [],
        capacity: one.capacity,
      });
    }
    parsed.push({ name, alternatives });
  }
  return parsed;
}
