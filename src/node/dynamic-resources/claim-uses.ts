import type { Container, Pod } from '../../api/core/v1.gen.ts';
import { podClaimName } from '../../api/resource/pod-claim-name.ts';
import type { LedgerClaim } from './claim-ledger.ts';
import type { DraDevice } from './dra-protocol.ts';

/** Which claim a container uses, and which request of it; without one, all. */
export interface ClaimUse {
  readonly claimName: string;
  readonly request: string | undefined;
}

/** The claims that a container names, each under the name that its pod has for it. */
export function namedUses(
  pod: Pod,
  { resources }: Container,
): readonly (ClaimUse & { readonly use: string })[] {
  return (resources?.claims ?? []).flatMap(({ name: use, request }) => {
    const entry = pod.spec.resourceClaims?.find((one) => one.name === use);
    const claimName = entry && podClaimName(pod, entry);
    return claimName ? [{ use, claimName, request: request || undefined }] : [];
  });
}

/** The claims that a container uses, those that the scheduler made for its extended resources among them. */
export function claimUses(pod: Pod, container: Container): readonly ClaimUse[] {
  const { name, resources } = container;
  const own = namedUses(pod, container).map(({ claimName, request }) => ({ claimName, request }));
  const { resourceClaimName: claimName, requestMappings = [] } =
    pod.status?.extendedResourceClaimStatus ?? {};
  if (claimName === undefined) return own;
  const extended = requestMappings.filter(
    ({ containerName, resourceName }) =>
      containerName === name && resources?.requests?.[resourceName] !== undefined,
  );
  return [...own, ...extended.map(({ requestName }) => ({ claimName, request: requestName }))];
}

/** The devices that a claim gives for a request of it, with their drivers. */
export function devicesFor(
  { devices }: LedgerClaim,
  request: string | undefined,
): readonly { readonly driver: string; readonly device: DraDevice }[] {
  return Object.entries(devices)
    .flatMap(([driver, own]) => own.map((device) => ({ driver, device })))
    .filter(
      ({ device: { request_names: requests } }) =>
        request === undefined || requests.length === 0 || requests.includes(request),
    );
}

/** The CDI names of the devices that a claim gives for a request of it, each once. */
export function cdiNames(claim: LedgerClaim, request: string | undefined): readonly string[] {
  return [...new Set(devicesFor(claim, request).flatMap(({ device }) => device.cdi_device_ids))];
}
