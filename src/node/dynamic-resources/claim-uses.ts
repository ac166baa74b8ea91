import type { Container, Pod } from '../../api/core/v1.gen.ts';
import { podClaimName } from '../../api/resource/pod-claim-name.ts';
import type { LedgerClaim } from './claim-ledger.ts';

/** Which claim a container uses, and which request of it; without one, all. */
export interface ClaimUse {
  readonly claimName: string;
  readonly request: string | undefined;
}

/** The claims that a container uses, those that the scheduler made for its extended resources among them. */
export function claimUses(pod: Pod, { name, resources }: Container): readonly ClaimUse[] {
  const own = (resources?.claims ?? []).flatMap((use): readonly ClaimUse[] => {
    const entry = pod.spec.resourceClaims?.find((one) => one.name === use.name);
    const claimName = entry && podClaimName(pod, entry);
    return claimName ? [{ claimName, request: use.request || undefined }] : [];
  });
  const { resourceClaimName: claimName, requestMappings = [] } =
    pod.status?.extendedResourceClaimStatus ?? {};
  if (claimName === undefined) return own;
  const extended = requestMappings.filter(
    ({ containerName, resourceName }) =>
      containerName === name && resources?.requests?.[resourceName] !== undefined,
  );
  return [...own, ...extended.map(({ requestName }) => ({ claimName, request: requestName }))];
}

/** The CDI names of the devices that a claim gives for a request of it, each once. */
export function cdiNames({ devices }: LedgerClaim, request: string | undefined): readonly string[] {
  const fitting = Object.values(devices)
    .flat()
    .filter(
      ({ request_names: requests }) =>
        request === undefined || requests.length === 0 || requests.includes(request),
    );
  return [...new Set(fitting.flatMap((device) => device.cdi_device_ids))];
}
