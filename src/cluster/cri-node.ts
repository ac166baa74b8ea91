import { join } from 'node:path';
import type { ForeignPodNetwork } from '../network/foreign-pod-network.ts';
import type { ContainerRuntime } from '../node/container-runtime.ts';
import { ImageError, type ImageService } from '../node/image-service.ts';
import {
  ensureCniNetwork,
  ensureSandboxImage,
  runtimeCondition,
  sandboxImageOf,
  usesSystemdCgroups,
} from '../node/runtimes/cri/cni-network.ts';
import { connectCri } from '../node/runtimes/cri/connect-cri.ts';
import { criImages, criImagesDirectory } from '../node/runtimes/cri/cri-images.ts';
import { writeCriRecord } from '../node/runtimes/cri/cri-record.ts';
import { createCriRuntime } from '../node/runtimes/cri/cri-runtime.ts';
import { OciError } from '../oci/oci-error.ts';
import { parseReference } from '../oci/reference.ts';
import { importPause, withOwnImages } from './cri-own-images.ts';
import type { ClusterPlan, CriEndpoints } from './plan-cluster.ts';
import type { StartOptions } from './start-cluster.ts';

export interface CriNodeOptions {
  readonly plan: ClusterPlan;
  readonly options: StartOptions;
  readonly endpoints: CriEndpoints;
  readonly nodeName: string;
  /** Keeps what is known of the node's containers. */
  readonly directory: string;
  readonly cgroupRoot: string;
  readonly podCidr: string;
  readonly gateway: string;
  readonly network: ForeignPodNetwork;
  /** Kanoe's own store. */
  readonly ownImages: ImageService;
  onError(error: unknown): void;
}

/** What a node's agent needs of a container runtime behind CRI. */
export interface CriNode {
  readonly runtime: ContainerRuntime;
  readonly images: ImageService;
  /** Where they are; undefined when the runtime does not tell. */
  readonly imagesDirectory: string | undefined;
  /** Why the runtime cannot connect pods now. */
  networkProblem(): Promise<string | undefined>;
}

/** Joins a node to a container runtime. Throws `RuntimeError` that says what is to be done about the runtime. */
export async function joinCriNode(options: CriNodeOptions): Promise<CriNode> {
  const { plan, endpoints, nodeName } = options;
  const { clock } = options.options;
  const owner = { clusterId: plan.id, nodeName };
  const { cgroupRoot } = options;
  const connection = await connectCri(endpoints.runtime, clock);
  // Only a runtime that answers can hold anything that is to be removed later.
  await connection.call('Version', { version: 'v1' });
  await writeCriRecord(options.directory, { endpoint: endpoints.runtime, owner, cgroupRoot });
  const imageConnection =
    endpoints.images === endpoints.runtime ? connection : await connectCri(endpoints.images, clock);
  await ensureCniNetwork({
    connection,
    endpoint: endpoints.runtime,
    clusterId: plan.id,
    podCidr: options.podCidr,
    gateway: options.gateway,
    leaseDirectory: join(plan.runDirectory, 'cni'),
    clock,
  });
  const sandboxImage = await sandboxImageOf(connection);
  const pulled = criImages({ connection: imageConnection, registryOf, sandboxImage });
  const directory = join(plan.dataDirectory, 'images', 'cri');
  const importing = { images: pulled, endpoint: endpoints.images, directory, clock };
  if (sandboxImage !== undefined)
    await ensureSandboxImage(connection, sandboxImage, (name) => importPause(name, importing));
  const images = withOwnImages({ ...importing, own: options.ownImages });
  const runtime = await createCriRuntime({
    connection,
    endpoint: endpoints.runtime,
    owner,
    images,
    network: options.network,
    clock,
    directory: options.directory,
    cgroupRoot,
    systemdCgroups: await usesSystemdCgroups(connection),
    onError: options.onError,
  });
  return {
    runtime,
    images,
    imagesDirectory: await criImagesDirectory(imageConnection),
    networkProblem: async () => (await runtimeCondition(connection)).networkProblem,
  };
}

function registryOf(reference: string): string {
  try {
    return parseReference(reference).registry;
  } catch (error) {
    if (error instanceof OciError) throw new ImageError(error.code, error.message, { cause: error });
    throw error;
  }
}
