import type { TokenRequest } from '../../api/authentication/v1.gen.ts';
import { podClaimNames } from '../../api/core/pod-references.ts';
import {
  persistentvolumeclaims,
  persistentvolumes,
  pods,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Pod,
} from '../../api/core/v1.gen.ts';
import { csidrivers, type CSIDriver } from '../../api/storage/v1.gen.ts';
import type { KubeObject, Live } from '../../machinery/object.ts';
import { newNotFound } from '../../machinery/status/errors.ts';
import type { AdmissionRequest } from './admission-chain.ts';
import type { Lookup } from './lookup.ts';
import type { NodeRestrictionParts } from './node-restriction.ts';

/** Why a node gets no such token; undefined when it does. Tokens are for pods on the node and for audiences that these name. */
export function tokenRefusal(
  node: string,
  request: AdmissionRequest,
  { lookup, authorizer }: NodeRestrictionParts,
): string | undefined {
  if (request.operation !== 'CREATE' || request.subresource !== 'token') return undefined;
  const { boundObjectRef, audiences } = (request.object as KubeObject as TokenRequest).spec;
  const { kind, apiVersion, name = '', uid } = boundObjectRef ?? {};
  if (kind !== 'Pod' || apiVersion !== 'v1' || name === '') return 'node requested token not bound to a pod';
  if (!uid) return 'node requested token with a pod binding without a uid';
  const pod = lookup.get<Pod>(pods, request.namespace, name);
  if (!pod) throw newNotFound({ group: '', resource: 'pods' }, name);
  if (pod.metadata.uid !== uid)
    return `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`;
  if (pod.spec.nodeName !== node) return 'node requested token bound to a pod scheduled on a different node';
  const [audience = '', ...more] = audiences ?? [];
  if (more.length > 0) return 'node may only request 0 or 1 audiences';
  if (namesAudience(pod, audience, lookup)) return undefined;
  const { allowed } = authorizer.authorize(request.user, {
    verb: 'request-serviceaccounts-token-audience',
    group: '',
    version: 'v1',
    resource: audience,
    namespace: request.namespace,
    name: request.name,
  });
  return allowed
    ? undefined
    : `audience "${audience}" not found in pod spec volume, ${request.user.name} is not authorized to request tokens for this audience`;
}

/** Whether a volume of the pod is, or has its driver given, a token for the audience. */
function namesAudience({ metadata, spec }: Live<Pod>, audience: string, lookup: Lookup): boolean {
  const volumes = spec.volumes ?? [];
  const projected = volumes.flatMap((volume) => volume.projected?.sources ?? []);
  if (
    projected.some(
      ({ serviceAccountToken }) => serviceAccountToken && (serviceAccountToken.audience ?? '') === audience,
    )
  )
    return true;
  const drivers = [
    ...volumes.map(({ csi }) => csi?.driver),
    ...podClaimNames(metadata.name, spec).map((name) => claimDriver(metadata.namespace ?? '', name, lookup)),
  ];
  return drivers.some((name) => {
    const driver = name === undefined ? undefined : lookup.get<CSIDriver>(csidrivers, '', name);
    return driver?.spec.tokenRequests?.some((wanted) => wanted.audience === audience) ?? false;
  });
}

function claimDriver(namespace: string, name: string, lookup: Lookup): string | undefined {
  const claim = lookup.get<PersistentVolumeClaim>(persistentvolumeclaims, namespace, name);
  const volume = claim?.spec?.volumeName;
  if (!volume) return undefined;
  return lookup.get<PersistentVolume>(persistentvolumes, '', volume)?.spec?.csi?.driver;
}
