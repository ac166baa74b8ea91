import { namesIn } from '../names-in.ts';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sleep, timestamp, type Clock } from '../../base/clock.ts';
import { persistentvolumeclaims, secrets, type Pod, type SecretReference } from '../../api/core/v1.gen.ts';
import { attachmentName, uniqueVolumeName } from '../../api/storage/csi-volume.ts';
import { csidrivers, volumeattachments, type CSIDriver } from '../../api/storage/v1.gen.ts';
import type { Client } from '../../client/client.ts';
import type { KubeObject, Live, ResourceType } from '../../machinery/object.ts';
import { parseQuantity, quantityValue } from '../../machinery/quantity.ts';
import { unlessGone } from '../../machinery/unless-gone.ts';
import { isMissing } from '../missing-file.ts';
import { giveToGroup } from '../volumes/fs-group.ts';
import type { ServiceAccountToken } from '../volumes/service-account-tokens.ts';
import { mountPoints } from '../volumes/tmpfs.ts';
import { VolumeError } from '../volumes/volume-error.ts';
import { nodeAbility, type CsiCalls, type StringMap } from './csi-protocol.ts';
import { capabilityOf, podContext, takesGroup, type CsiMount } from './csi-request.ts';
import type { CsiDriverOnNode } from './csi-drivers.ts';

export interface CsiVolumesOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly nodeName: string;
  /** The node's. */
  readonly directory: string;
  driver(name: string): CsiDriverOnNode | undefined;
  token(pod: Pod, audience: string, expirationSeconds: number): Promise<ServiceAccountToken>;
  /** {@link CsiVolumes.inUse} says something else now. */
  onUseChange(): void;
}

/** What came of a mount. */
export interface CsiMounted {
  readonly path: string;
  readonly readOnly: boolean;
  /** When the driver wants to be asked again. */
  readonly republishMs?: number;
}

/** The volumes of CSI drivers on one node. */
export interface CsiVolumes {
  /** Waits for the volume to be attached, stages it once on the node and publishes it for the pod; idempotent. Throws `VolumeError`. */
  publish(pod: Pod, mount: CsiMount, claim?: string): Promise<CsiMounted>;
  /** Takes everything back from a pod, and unstages what nobody else uses; idempotent. Throws `VolumeError`. */
  unpublish(podUid: string): Promise<void>;
  /** Learns what an earlier agent has mounted. */
  recover(): Promise<void>;
  /** What is mounted, or being mounted, of volumes that are attached to nodes: `status.volumesInUse`. */
  inUse(): readonly string[];
  /** Sizes of a published volume; undefined where the driver tells none. */
  stats(podUid: string, name: string): Promise<CsiCalls['NodeGetVolumeStats'][1]['usage'] | undefined>;
}

/** What lies beside a mount, so that it can be taken back by whoever finds it. */
interface MountRecord {
  readonly driverName: string;
  readonly volumeHandle: string;
  readonly specVolID: string;
  readonly volumeLifecycleMode: string;
  readonly nodeName: string;
  /** Whether the volume has been attached to the node. */
  readonly attached: boolean;
}

const ATTACH_PATIENCE_MS = 10_000;
const ATTACH_POLL_MS = 100;
const REPUBLISH_MS = 60_000;

/** Speaks with the drivers that have registered with a node, as the kubelet's CSI plug-in. */
export function createCsiVolumes(options: CsiVolumesOptions): CsiVolumes {
  const { client, clock, directory, nodeName, driver: driverOf } = options;
  const working = new Map<string, Promise<unknown>>();
  const attachedInUse = new Map<string, string>();

  const podFolder = (uid: string): string => join(directory, 'pods', uid, 'volumes', 'kubernetes.io~csi');
  const stageFolder = (driver: string, handle: string): string =>
    join(
      directory,
      'plugins',
      'kubernetes.io',
      'csi',
      driver,
      createHash('sha256').update(handle).digest('hex'),
    );

  /** Calls about one volume come one after the other, as the specification asks. */
  function inTurn<T>(driver: string, handle: string, work: () => Promise<T>): Promise<T> {
    const key = `${driver}^${handle}`;
    const result = (working.get(key) ?? Promise.resolve()).then(work, work);
    const settled = result
      .catch(() => undefined)
      .finally(() => working.get(key) === settled && working.delete(key));
    working.set(key, settled);
    return result;
  }

  function registered(name: string): CsiDriverOnNode {
    const driver = driverOf(name);
    if (driver) return driver;
    throw new VolumeError(
      `kubernetes.io/csi: mounter.SetUpAt failed to get CSI client: driver name ${name} not found in the list of registered CSI drivers`,
    );
  }

  async function publish(pod: Pod, mount: CsiMount, claim?: string): Promise<CsiMounted> {
    const driver = registered(mount.driver);
    const object = await read(csidrivers, { name: mount.driver });
    checkLifecycle(mount, object);
    const attaches = mount.lifecycle === 'Persistent' && object?.spec.attachRequired !== false;
    const { handle } = mount;
    if (attaches)
      note(`${pod.metadata.uid}/${mount.name}`, uniqueVolumeName({ driver: mount.driver, handle }));
    const publishContext = attaches ? await attached(mount) : {};
    const folder = join(podFolder(pod.metadata.uid ?? ''), mount.name);
    const target = join(folder, 'mount');
    const fsGroup = pod.spec?.securityContext?.fsGroup;
    const capability = capabilityOf(mount, driver.abilities, fsGroup);
    const record: MountRecord = {
      driverName: mount.driver,
      volumeHandle: handle,
      specVolID: mount.name,
      volumeLifecycleMode: mount.lifecycle,
      nodeName,
      attached: attaches,
    };
    const stages = mount.lifecycle === 'Persistent' && driver.abilities.has(nodeAbility.stage);
    const staged = stages ? join(stageFolder(mount.driver, handle), 'globalmount') : '';
    if (staged !== '') {
      await mkdir(staged, { recursive: true, mode: 0o750 });
      await writeRecord(dirname(staged), record);
      await driver.connection.call('NodeStageVolume', {
        volume_id: handle,
        publish_context: publishContext,
        staging_target_path: driver.pathFor(staged),
        volume_capability: capability,
        secrets: await secretOf(mount.stageSecret),
        volume_context: mount.attributes,
      });
    }
    const tokens = await tokensFor(pod, object);
    const tokensAreSecret = object?.spec.serviceAccountTokenInSecrets === true;
    await mkdir(folder, { recursive: true, mode: 0o750 });
    await writeRecord(folder, record);
    await driver.connection.call('NodePublishVolume', {
      volume_id: handle,
      publish_context: publishContext,
      staging_target_path: staged && driver.pathFor(staged),
      target_path: driver.pathFor(target),
      volume_capability: capability,
      readonly: mount.readOnly,
      secrets: { ...(await secretOf(mount.publishSecret)), ...(tokensAreSecret && tokens) },
      volume_context: {
        ...mount.attributes,
        ...podContext(pod, mount.lifecycle, object),
        ...(!tokensAreSecret && tokens),
      },
    });
    if (
      fsGroup !== undefined &&
      capability.mount?.volume_mount_group === undefined &&
      takesGroup(mount, object)
    )
      await giveToGroup(target, fsGroup, pod.spec?.securityContext?.fsGroupChangePolicy);
    if (mount.growTo !== undefined && claim !== undefined)
      await grow({ driver, mount, target, staged, claim, namespace: pod.metadata.namespace ?? '' });
    return {
      path: target,
      readOnly: mount.readOnly,
      ...(object?.spec.requiresRepublish === true && { republishMs: REPUBLISH_MS }),
    };
  }

  /** Remembers that a volume is in use before it is mounted, so that it stays attached. */
  function note(user: string, volume: string): void {
    if (attachedInUse.get(user) === volume) return;
    attachedInUse.set(user, volume);
    options.onUseChange();
  }

  /** What the driver's attacher said of the volume; waits for it a while. */
  async function attached({ driver, handle }: CsiMount): Promise<StringMap> {
    const attachment = attachmentName({ driver, handle }, nodeName);
    const deadline = clock.monotonic() + ATTACH_PATIENCE_MS;
    for (;;) {
      const found = await read(volumeattachments, { name: attachment });
      if (found?.status?.attached === true && found.metadata.deletionTimestamp === undefined)
        return found.status.attachmentMetadata ?? {};
      if (clock.monotonic() > deadline) {
        const why = found?.status?.attachError?.message;
        throw new VolumeError(
          `timed out waiting for external-attacher of ${driver} CSI driver to attach volume ${handle}${why === undefined ? '' : `: ${why}`}`,
        );
      }
      await sleep(clock, ATTACH_POLL_MS);
    }
  }

  async function grow(work: {
    readonly driver: CsiDriverOnNode;
    readonly mount: CsiMount;
    readonly target: string;
    readonly staged: string;
    readonly claim: string;
    readonly namespace: string;
  }): Promise<void> {
    const { driver, mount, target, staged, namespace } = work;
    const { growTo: size = '0' } = mount;
    if (driver.abilities.has(nodeAbility.expand)) {
      await driver.connection.call('NodeExpandVolume', {
        volume_id: mount.handle,
        volume_path: driver.pathFor(target),
        staging_target_path: staged && driver.pathFor(staged),
        capacity_range: { required_bytes: Number(quantityValue(parseQuantity(size))) },
        volume_capability: capabilityOf(mount, driver.abilities, undefined),
        secrets: await secretOf(mount.expandSecret),
      });
    }
    const claim = await read(persistentvolumeclaims, { namespace, name: work.claim });
    const conditions = (claim?.status?.conditions ?? []).filter(
      ({ type }) => type !== 'FileSystemResizePending' && type !== 'Resizing',
    );
    const status = { capacity: { storage: size }, allocatedResourceStatuses: null, conditions };
    await client
      .for(persistentvolumeclaims)
      .patch(
        { namespace, name: work.claim },
        { status },
        { type: 'application/merge-patch+json', subresource: 'status' },
      );
  }

  async function tokensFor(pod: Pod, driver: CSIDriver | undefined): Promise<StringMap> {
    const requests = driver?.spec.tokenRequests ?? [];
    if (requests.length === 0) return {};
    const tokens = await Promise.all(
      requests.map(async ({ audience, expirationSeconds }) => {
        const { token, expiresAt } = await options.token(pod, audience, expirationSeconds ?? 3600);
        return [audience, { token, expirationTimestamp: timestamp(expiresAt) }] as const;
      }),
    );
    return { 'csi.storage.k8s.io/serviceAccount.tokens': JSON.stringify(Object.fromEntries(tokens)) };
  }

  async function secretOf(reference: SecretReference | undefined): Promise<StringMap> {
    if (!reference) return {};
    const { namespace = '', name = '' } = reference;
    const secret = await read(secrets, { namespace, name });
    if (!secret)
      throw new VolumeError(`failed to get secret ${namespace}/${name}: secrets "${name}" not found`);
    const entries = Object.entries(secret.data ?? {});
    return Object.fromEntries(
      entries.map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]),
    );
  }

  async function read<T extends KubeObject>(
    type: ResourceType<T>,
    ref: { readonly namespace?: string; readonly name: string },
  ): Promise<Live<T> | undefined> {
    return await unlessGone(client.for(type).get(ref));
  }

  async function unpublishOne(uid: string, name: string): Promise<void> {
    const folder = join(podFolder(uid), name);
    const record = await readRecord(folder);
    if (!record) {
      await removeUnmounted(folder);
      return;
    }
    const { driverName, volumeHandle } = record;
    await inTurn(driverName, volumeHandle, async () => {
      const driver = registered(driverName);
      const target = join(folder, 'mount');
      await driver.connection.call('NodeUnpublishVolume', {
        volume_id: volumeHandle,
        target_path: driver.pathFor(target),
      });
      await removeUnmounted(folder);
      if (record.volumeLifecycleMode === 'Persistent' && driver.abilities.has(nodeAbility.stage))
        await unstage(driver, record);
    });
    if (attachedInUse.delete(`${uid}/${name}`)) options.onUseChange();
  }

  async function unstage(driver: CsiDriverOnNode, { driverName, volumeHandle }: MountRecord): Promise<void> {
    const staged = join(stageFolder(driverName, volumeHandle), 'globalmount');
    const others = await publishedVolumes();
    if (others.some((one) => one.driverName === driverName && one.volumeHandle === volumeHandle)) return;
    await driver.connection.call('NodeUnstageVolume', {
      volume_id: volumeHandle,
      staging_target_path: driver.pathFor(staged),
    });
    await removeUnmounted(dirname(staged));
  }

  async function publishedVolumes(): Promise<readonly MountRecord[]> {
    const pods = await namesIn(join(directory, 'pods'));
    const folders = await Promise.all(
      pods.map(async (uid) => (await namesIn(podFolder(uid))).map((name) => join(podFolder(uid), name))),
    );
    const records = await Promise.all(folders.flat().map(readRecord));
    return records.flatMap((record) => record ?? []);
  }

  return {
    publish: (pod, mount, claim) => inTurn(mount.driver, mount.handle, () => publish(pod, mount, claim)),
    async unpublish(podUid) {
      for (const name of await namesIn(podFolder(podUid))) await unpublishOne(podUid, name);
    },
    async recover() {
      for (const uid of await namesIn(join(directory, 'pods')))
        for (const name of await namesIn(podFolder(uid))) {
          const record = await readRecord(join(podFolder(uid), name));
          if (record?.attached)
            note(
              `${uid}/${name}`,
              uniqueVolumeName({ driver: record.driverName, handle: record.volumeHandle }),
            );
        }
    },
    inUse: () => [...new Set(attachedInUse.values())].toSorted(),
    async stats(podUid, name) {
      const folder = join(podFolder(podUid), name);
      const record = await readRecord(folder);
      const driver = record && driverOf(record.driverName);
      if (!driver?.abilities.has(nodeAbility.stats)) return undefined;
      const staged = join(stageFolder(record?.driverName ?? '', record?.volumeHandle ?? ''), 'globalmount');
      const { usage } = await driver.connection.call('NodeGetVolumeStats', {
        volume_id: record?.volumeHandle ?? '',
        volume_path: driver.pathFor(join(folder, 'mount')),
        staging_target_path: driver.abilities.has(nodeAbility.stage) ? driver.pathFor(staged) : '',
      });
      return usage;
    },
  };
}

function checkLifecycle({ lifecycle, driver }: CsiMount, object: CSIDriver | undefined): void {
  if (lifecycle === 'Persistent') {
    const modes = object?.spec.volumeLifecycleModes ?? ['Persistent'];
    if (modes.length === 0 || modes.includes('Persistent')) return;
  } else if (object?.spec.volumeLifecycleModes?.includes('Ephemeral') === true) return;
  const supported = JSON.stringify(object?.spec.volumeLifecycleModes ?? ['Persistent']);
  throw new VolumeError(
    `kubernetes.io/csi: mounter.SetUpAt failed to check volume lifecycle mode: volume mode "${lifecycle}" not supported by driver ${driver} (only supports ${supported})`,
  );
}

const RECORD = 'vol_data.json';

async function writeRecord(folder: string, record: MountRecord): Promise<void> {
  await writeFile(join(folder, RECORD), JSON.stringify(record), { mode: 0o640 });
}

async function readRecord(folder: string): Promise<MountRecord | undefined> {
  try {
    return JSON.parse(await readFile(join(folder, RECORD), 'utf8')) as MountRecord;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Removes a folder whose `mount` or `globalmount` the driver has unmounted; what it left behind is somebody's data. */
async function removeUnmounted(folder: string): Promise<void> {
  const still = await mountPoints(folder);
  if (still.length > 0) throw new VolumeError(`the CSI driver has left ${still.join(', ')} mounted`);
  for (const name of ['mount', 'globalmount']) {
    await rmdir(join(folder, name)).catch((error: unknown) => {
      if (!isMissing(error)) throw new VolumeError(`the CSI driver has left files in ${join(folder, name)}`);
    });
  }
  await rm(folder, { recursive: true, force: true });
}
