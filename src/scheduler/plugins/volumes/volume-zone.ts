import { persistentvolumeclaims, persistentvolumes, type Node } from '../../../api/core/v1.gen.ts';
import { storageclasses } from '../../../api/storage/v1.gen.ts';
import { deepEqual } from '../../../reconcile/deep-equal.ts';
import type { ClusterEvent, QueueingHint } from '../../cluster-event.ts';
import { stateKey } from '../../cycle-state.ts';
import type { PluginFactory } from '../../framework.ts';
import type { PodInfo } from '../../pod-info.ts';
import { errorStatus, SKIP, unresolvable, type Status } from '../../status.ts';
import { classNameOf, namedClaims, type ClaimedVolume } from './claim-volumes.ts';
import { claimHint } from './volume-binding.ts';

const name = 'VolumeZone';
const elsewhere = unresolvable('node(s) had no available volume zone');
const zoneKey = 'topology.kubernetes.io/zone';
const regionKey = 'topology.kubernetes.io/region';

/** Labels that say where a volume or node is, and what they are called today. */
const currentKeys: ReadonlyMap<string, string> = new Map([
  ['failure-domain.beta.kubernetes.io/zone', zoneKey],
  ['failure-domain.beta.kubernetes.io/region', regionKey],
  [zoneKey, zoneKey],
  [regionKey, regionKey],
]);

/** A label that nodes of the volume have, and its possible values. */
export interface VolumeTopology {
  readonly key: string;
  readonly values: ReadonlySet<string>;
}

const topologies = stateKey<readonly VolumeTopology[]>(name);

/** Keeps pods in the zones that their volumes' labels name. */
export const volumeZone: PluginFactory = {
  name,
  create({ informers }) {
    const claims = informers.for(persistentvolumeclaims);
    const volumes = informers.for(persistentvolumes);
    const classes = informers.for(storageclasses);
    const find = (pod: PodInfo): readonly VolumeTopology[] | Status => {
      const found: VolumeTopology[] = [];
      for (const claimName of namedClaims(pod.pod)) {
        const claim = claims.get(pod.namespace, claimName);
        if (!claim) return unresolvable(`persistentvolumeclaim ${JSON.stringify(claimName)} not found`);
        const { volumeName } = claim.spec;
        if (!volumeName) {
          const className = classNameOf(claim);
          if (className === '')
            return unresolvable('PersistentVolumeClaim had no pv name and storageClass name');
          const storageClass = classes.get(undefined, className);
          if (!storageClass) {
            return unresolvable(`storageclass.storage.k8s.io ${JSON.stringify(className)} not found`);
          }
          if (storageClass.volumeBindingMode === 'WaitForFirstConsumer') continue;
          return unresolvable('PersistentVolume had no name');
        }
        const volume = volumes.get(undefined, volumeName);
        if (!volume) return unresolvable(`persistentvolume ${JSON.stringify(volumeName)} not found`);
        found.push(...volumeTopologies(volume));
      }
      return found;
    };
    return {
      name,
      preFilter(state, pod) {
        if (pod.claims.length === 0) return SKIP;
        const found = find(pod);
        if ('code' in found) return found;
        if (found.length === 0) return SKIP;
        state.write(topologies, found);
        return undefined;
      },
      filter(state, _pod, { node }) {
        const wanted = state.read(topologies);
        if (!wanted) return errorStatus('no topologies of volumes were found');
        return isWhere(wanted, node) ? undefined : elsewhere;
      },
      eventsToRegister: () => [
        { resource: 'StorageClass', actions: ['Add'] },
        {
          resource: 'Node',
          actions: ['Add', 'UpdateNodeLabel'],
        },
        { resource: 'PersistentVolumeClaim', actions: ['Add', 'Update'], hint: claimHint },
        {
          resource: 'PersistentVolume',
          actions: ['Add', 'Update'],
          hint: (_pod, event) => volumeHint(event),
        },
      ],
    };
  },
};

/** Where the labels of a volume say that it is; several values are joined by `__`. */
export function volumeTopologies({ metadata }: ClaimedVolume): readonly VolumeTopology[] {
  return [...currentKeys.keys()].flatMap((key) => {
    const value = metadata.labels?.[key];
    return value === undefined ? [] : [{ key, values: new Set(value.split('__')) }];
  });
}

/** Whether the node is where all volumes are; a node that does not say where it is counts as everywhere. */
export function isWhere(wanted: readonly VolumeTopology[], { metadata }: Node): boolean {
  const labels = metadata.labels ?? {};
  if (![...currentKeys.keys()].some((key) => labels[key] !== undefined)) return true;
  return wanted.every(({ key, values }) => {
    const value = labels[key] ?? labels[currentKeys.get(key) ?? key];
    return value !== undefined && values.has(value);
  });
}

function volumeHint({ previous, next }: ClusterEvent): QueueingHint {
  if (!previous) return 'Queue';
  const before = volumeTopologies(previous as ClaimedVolume);
  const after = volumeTopologies(next as ClaimedVolume);
  const plain = (found: readonly VolumeTopology[]): unknown =>
    found.map(({ key, values }) => [key, ...values].join(' '));
  return deepEqual(plain(before), plain(after)) ? 'QueueSkip' : 'Queue';
}
