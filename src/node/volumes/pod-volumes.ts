import { chmod, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Timer } from '../../base/clock.ts';
import type { Pod, Volume } from '../../api/core/v1.gen.ts';
import { parseQuantity, quantityValue } from '../../machinery/quantity.ts';
import { StatusError } from '../../machinery/status-error.ts';
import { podResources } from '../container-resources.ts';
import type { PodDirectories } from '../pod-directories.ts';
import { writePayload } from './atomic-writer.ts';
import { inlineMount } from '../csi/csi-request.ts';
import { waitsForNode } from '../csi/csi-request.ts';
import { claimNameOf, setUpClaim, type ClaimReader, type MountedVolume } from './claim-volume.ts';
import { giveToGroup } from './fs-group.ts';
import { setUpHostPath } from './host-path.ts';
import { isConfidential, volumePayload, type PayloadContext } from './payload-sources.ts';
import type { ServiceAccountToken } from './service-account-tokens.ts';
import { mountTmpfs, unmountBelow } from './tmpfs.ts';
import { VolumeError } from './volume-error.ts';
import { measureVolumes, type VolumeStats } from './volume-stats.ts';

/** What volumes are made from. */
export interface VolumeContext extends PayloadContext, ClaimReader {
  token(audience: string, expirationSeconds: number): Promise<ServiceAccountToken>;
}

export interface PodVolumesOptions {
  readonly clock: Clock;
  readonly directories: PodDirectories;
  /** A folder of this pod on the node's tmpfs. */
  readonly memoryDirectory: string;
  /** Everything a volume's files may come from; `pod` is the newest version each time. */
  context(): VolumeContext;
  /** One volume could not be set up; the message is complete. */
  onFailure(message: string): void;
}

/** The volumes of one pod. */
export interface PodVolumes {
  /** Makes all volumes or throws `VolumeError` after reporting each failure; may be called again. */
  setUp(): Promise<void>;
  /** Brings the files of configMap, secret, downwardAPI and projected volumes up to date; failures are reported. */
  refresh(): Promise<void>;
  /** Where a volume is on the node; undefined before `setUp` and for unknown names. */
  pathOf(volume: string): string | undefined;
  /** Whether containers can only read it. */
  isReadOnly(volume: string): boolean;
  /** Whether it is a device rather than a folder or file. */
  isBlock(volume: string): boolean;
  /** From time to time: grows what waits for the node to do that, and measures. Failures are reported. */
  maintain(): Promise<void>;
  /** As measured last. */
  stats(): readonly VolumeStats[];
  /** Stops refreshing; files stay. */
  close(): void;
  /** Removes what belongs to the pod; host paths stay. */
  tearDown(): Promise<void>;
}

/** Sets up the volumes of a pod under its directories. */
export function createPodVolumes(options: PodVolumesOptions): PodVolumes {
  const { clock, directories } = options;
  const paths = new Map<string, string>();
  const payloadVolumes = new Set<string>();
  const readOnly = new Set<string>();
  /** Volumes beside those with a payload that are set up again from time to time. */
  const renewed = new Set<string>();
  /** Volumes of claims that a driver has mounted. */
  const mounted = new Set<string>();
  /** Volumes that are devices. */
  const blocks = new Set<string>();
  let maintaining = false;
  let stats: readonly VolumeStats[] = [];
  let measuredAt = Number.NEGATIVE_INFINITY;
  let next: { readonly due: number; readonly timer: Timer } | undefined;
  let work: Promise<unknown> = Promise.resolve();
  let closed = false;

  /** Remembers the earliest time at which a token is due. */
  function watchingTokens(): PayloadContext & ClaimReader {
    const context = options.context();
    return {
      ...context,
      token: async (audience, seconds) => {
        const token = await context.token(audience, seconds);
        schedule(Math.max(1000, token.refreshAt - clock.now()));
        return token;
      },
    };
  }

  function schedule(ms: number): void {
    const due = clock.monotonic() + ms;
    if (closed || (next && next.due <= due)) return;
    next?.timer.cancel();
    const timer = clock.after(ms, () => {
      next = undefined;
      void api.refresh();
    });
    next = { due, timer };
  }

  async function setUpOne(volume: Volume, context: PayloadContext & ClaimReader): Promise<void> {
    const group = context.pod.spec?.securityContext?.fsGroup;
    const payload = volumePayload(volume, context);
    const claim = claimNameOf(context.pod, volume);
    if (payload) {
      const path = join(isConfidential(volume) ? options.memoryDirectory : directories.volumes, volume.name);
      await writePayload(path, await payload, group);
      payloadVolumes.add(volume.name);
      paths.set(volume.name, path);
    } else if (volume.hostPath) {
      paths.set(volume.name, await setUpHostPath(volume.hostPath, context.nodeDirectory));
    } else if (claim !== undefined) {
      const made = volume.ephemeral ? 'for the pod' : 'by a person';
      const access = volume.persistentVolumeClaim?.readOnly ? ({ access: 'read-only' } as const) : {};
      const shown = await setUpClaim(context.pod, { name: claim, made, ...access }, context);
      show(volume.name, shown);
      if (shown.byDriver) mounted.add(volume.name);
      if (shown.isBlock) blocks.add(volume.name);
    } else if (volume.csi) {
      if (!context.csi) throw new VolumeError('no CSI driver can register with this node');
      show(
        volume.name,
        await context.csi.publish(context.pod, inlineMount(context.pod, volume.name, volume.csi)),
      );
    } else if (volume.image) {
      // Comes with the containers that mount it.
    } else if (volume.emptyDir) {
      if (!paths.has(volume.name)) paths.set(volume.name, await setUpEmptyDir(volume, group));
    } else {
      const kind = Object.keys(volume).find((key) => key !== 'name') ?? 'unknown';
      throw new VolumeError(`no volume plugin matched name: kubernetes.io/${kind}`);
    }
  }

  /** Remembers a volume that something else has mounted. */
  function show(name: string, { path, readOnly: isReadOnly, republishMs }: MountedVolume): void {
    paths.set(name, path);
    if (isReadOnly) readOnly.add(name);
    if (republishMs === undefined) return;
    renewed.add(name);
    schedule(republishMs);
  }

  async function setUpEmptyDir(volume: Volume, group: number | undefined): Promise<string> {
    const { medium = '' } = volume.emptyDir ?? {};
    if (medium.startsWith('HugePages'))
      throw new VolumeError(`emptyDir of medium ${medium} is not supported on this node`);
    const inMemory = medium === 'Memory';
    const path = join(inMemory ? options.memoryDirectory : directories.volumes, volume.name);
    await mkdir(path, { recursive: true });
    if (inMemory) await mountTmpfs(path, memorySize(options.context(), volume.emptyDir?.sizeLimit));
    await chmod(path, 0o777);
    if (group !== undefined) await giveToGroup(path, group);
    return path;
  }

  /** Sets up the chosen volumes, reports failures and throws the first. */
  async function setUpAll(volumes: readonly Volume[]): Promise<void> {
    const context = watchingTokens();
    const results = await Promise.allSettled(volumes.map((volume) => setUpOne(volume, context)));
    let first: VolumeError | undefined;
    for (const [position, result] of results.entries()) {
      if (result.status === 'fulfilled') continue;
      const message = `MountVolume.SetUp failed for volume "${volumes[position]?.name}" : ${causeOf(result.reason)}`;
      options.onFailure(message);
      first ??= new VolumeError(message, { cause: result.reason });
    }
    if (first) throw first;
  }

  /** One at a time, in order of asking. */
  function queue<T>(run: () => Promise<T>): Promise<T> {
    const result = work.then(run, run);
    work = result.catch(() => undefined);
    return result;
  }

  async function maintainAll(context: VolumeContext): Promise<void> {
    for (const volume of volumesOf(context.pod)) {
      const claim = mounted.has(volume.name) ? claimNameOf(context.pod, volume) : undefined;
      if (claim === undefined || !waitsForNode(await context.claim(claim))) continue;
      await queue(() => setUpAll([volume]));
    }
    if (clock.monotonic() - measuredAt < MEASURE_MS) return;
    measuredAt = clock.monotonic();
    stats = await measureVolumes({
      pod: context.pod,
      clock,
      csi: context.csi,
      pathOf: (volume) => (blocks.has(volume) ? undefined : paths.get(volume)),
    });
  }

  const api: PodVolumes = {
    setUp: () => queue(() => setUpAll(volumesOf(options.context().pod))),
    refresh: () =>
      queue(async () => {
        if (closed) return;
        const volumes = volumesOf(options.context().pod).filter(
          ({ name }) => payloadVolumes.has(name) || renewed.has(name),
        );
        try {
          await setUpAll(volumes);
        } catch (error) {
          if (!(error instanceof VolumeError)) throw error;
          schedule(REFRESH_RETRY_MS);
        }
      }),
    async maintain() {
      if (maintaining || closed) return;
      maintaining = true;
      try {
        await maintainAll(options.context());
      } finally {
        maintaining = false;
      }
    },
    stats: () => stats,
    isBlock: (volume) => blocks.has(volume),
    pathOf: (volume) => paths.get(volume),
    isReadOnly: (volume) => payloadVolumes.has(volume) || readOnly.has(volume),
    close: () => {
      closed = true;
      next?.timer.cancel();
    },
    tearDown: () =>
      queue(async () => {
        api.close();
        const { pod, csi, localVolumes } = options.context();
        const { uid = '' } = pod.metadata;
        await csi?.unpublish(uid);
        await localVolumes?.unpublish(uid);
        for (const folder of [options.memoryDirectory, directories.volumes]) await unmountBelow(folder);
        await rm(options.memoryDirectory, { recursive: true, force: true });
        await rm(directories.volumes, { recursive: true, force: true });
        paths.clear();
      }),
  };
  return api;
}

const REFRESH_RETRY_MS = 30_000;
const MEASURE_MS = 60_000;

/** How much a volume in memory may hold: what it says, at most what the pod or else the node may use. */
function memorySize({ pod, allocatable }: VolumeContext, limit: string | undefined): bigint {
  const podLimit = podResources(pod).memoryLimitBytes;
  const most =
    podLimit === undefined ? quantityValue(parseQuantity(allocatable['memory'] ?? '0')) : BigInt(podLimit);
  const own = limit === undefined ? most : quantityValue(parseQuantity(limit));
  return own > 0n && own < most ? own : most;
}

function volumesOf(pod: Pod): readonly Volume[] {
  return pod.spec?.volumes ?? [];
}

/** Words for what stopped a volume; unexpected errors are passed on. */
function causeOf(error: unknown): string {
  if (error instanceof VolumeError || error instanceof StatusError) return error.message;
  if (error instanceof Error && 'code' in error) return error.message;
  throw error;
}
