import type { PersistentVolume } from '../../api/core/v1.gen.ts';
import type { ResourceClaim } from '../../api/resource/v1.gen.ts';
import type { KubeObject } from '../../machinery/object.ts';

type Uids = ReadonlyMap<string, string>;

/** An object that names others by their uids, beside its owners. */
export interface Referral {
  readonly object: KubeObject;
  readonly subresource?: string;
  /** What leads to the same others by the uids that they have now; undefined when nothing does. */
  patch(uids: Uids): object | undefined;
}

/** Which others an object names by uid: a volume its claim, a resource claim the pods that use it. */
export function referral(object: KubeObject): Referral | undefined {
  switch (`${object.apiVersion.split('/')[0]}/${object.kind}`) {
    case 'v1/PersistentVolume':
      return { object, patch: (uids) => claimPatch(object as PersistentVolume & KubeObject, uids) };
    case 'resource.k8s.io/ResourceClaim':
      return {
        object,
        subresource: 'status',
        patch: (uids) => consumersPatch(object as ResourceClaim & KubeObject, uids),
      };
    default:
      return undefined;
  }
}

function claimPatch({ spec }: PersistentVolume, uids: Uids): object | undefined {
  const uid = uids.get(spec?.claimRef?.uid ?? '');
  return uid === undefined ? undefined : { spec: { claimRef: { uid } } };
}

function consumersPatch({ status }: ResourceClaim, uids: Uids): object | undefined {
  if (!status?.reservedFor || status.reservedFor.length === 0) return undefined;
  const reservedFor = status.reservedFor.flatMap((consumer) => {
    const uid = uids.get(consumer.uid);
    return uid === undefined ? [] : [{ ...consumer, uid }];
  });
  return { status: { reservedFor } };
}
