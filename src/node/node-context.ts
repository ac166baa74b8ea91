import type { Clock } from '../base/clock.ts';
import type { NodeAdmission } from './admission/node-admission.ts';
import type { Client } from '../client/client.ts';
import type { Service } from '../api/core/v1.gen.ts';
import type { EventRecorder } from '../reconcile/event-recorder.ts';
import type { ConfigSource } from './config-source.ts';
import type { ContainerRuntime } from './container-runtime.ts';
import type { Allocatable } from './env/resource-field.ts';
import type { ImageService } from './image-service.ts';
import type { ImagePuller } from './images/image-puller.ts';
import type { LocalVolumeUse } from './local-storage/local-volumes.ts';
import type { PodVolumes } from './volumes/pod-volumes.ts';
import type { CsiVolumes } from './csi/csi-volumes.ts';
import type { DevicePlugins } from './device-plugins/device-plugins.ts';
import type { PodClaims } from './dynamic-resources/pod-claims.ts';
import type { KeyedBackoff } from './keyed-backoff.ts';
import type { PodDns } from './pod-etc.ts';
import type { ProbeCounts } from './probes/probe-counts.ts';
import type { ServiceAccountTokens } from './volumes/service-account-tokens.ts';

/** What all pod workers of a node share. */
export interface NodeContext {
  readonly client: Client;
  readonly clock: Clock;
  readonly runtime: ContainerRuntime;
  readonly images: ImageService;
  readonly puller: ImagePuller;
  readonly events: EventRecorder;
  readonly config: ConfigSource;
  readonly tokens: ServiceAccountTokens;
  /** Back-off of restarts, by pod uid and container name. */
  readonly restarts: KeyedBackoff;
  /** Resolves when the services have been read once; then answers with all of them. */
  services(): Promise<readonly Service[]>;
  readonly dns: PodDns;
  readonly hostIPs: readonly string[];
  readonly allocatable: Allocatable;
  readonly memoryBytes: number;
  readonly admission: NodeAdmission;
  /** What each pod on the node has for volumes, by uid. */
  readonly podVolumes: Map<string, PodVolumes>;
  /** The volumes of drivers that have registered with the node. */
  readonly csi: CsiVolumes;
  /** The devices of pods' resource claims. */
  readonly claims: PodClaims;
  /** The devices of device plug-ins. */
  readonly devices: DevicePlugins;
  /** The volumes that the machine itself keeps; absent where it keeps none. */
  readonly localVolumes?: LocalVolumeUse;
  readonly probes: ProbeCounts;
  /** Seccomp profile of containers that name none. */
  readonly seccompDefault: 'RuntimeDefault' | 'Unconfined';
  /** State of pods and logs. */
  readonly directory: string;
  /** A folder on tmpfs, or on disk where tmpfs cannot be had. */
  readonly memoryDirectory: string;
  /** Hears of failures that are nobody's fault but the agent's. */
  onError(error: unknown): void;
}
