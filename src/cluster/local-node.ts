import { dirname, join } from 'node:path';
import { formatIpv4Range, parseIpv4 } from '../base/ipv4.ts';
import { formatIpv6Range } from '../base/ipv6.ts';
import { pairedAddress, pairedRange, type RangePair } from '../base/paired-ranges.ts';
import { createClient } from '../client/create-client.ts';
import { kubeletPort as isolatedKubeletPort } from '../network/nftables/base-table.ts';
import { nodeAddress } from '../network/node-namespace.ts';
import type { Network } from '../network/start-network.ts';
import { createNodeAgent } from '../node/agent.ts';
import type { NodeAgent } from '../node/agent.ts';
import type { ImageService } from '../node/image-service.ts';
import type { PodNetwork } from '../node/pod-network.ts';
import { createKubeletGuard } from '../node/kubelet-server/kubelet-guard.ts';
import { createKubeletServer } from '../node/kubelet-server/kubelet-server.ts';
import { createNodePages } from '../node/kubelet-server/node-pages.ts';
import { createNativeRuntime } from '../node/runtimes/native/native-runtime.ts';
import { createProcessRuntime } from '../node/runtimes/process/process-runtime.ts';
import { kubeletConfiguration } from '../node/settings/kubelet-configuration.ts';
import type { NodeSettings } from '../node/settings/node-settings.ts';
import { createUsageSampler, type UsageSampler } from '../node/stats/usage-sampler.ts';
import { createEventRecorder } from '../reconcile/create-event-recorder.ts';
import { nodeRange, nthAddress } from './cidr.ts';
import { ClusterError } from './cluster-error.ts';
import type { ControlPlane } from './control-plane.ts';
import type { CriNode } from './cri-node.ts';
import type { ImageUsers } from './image-users.ts';
import type { MachineStorage } from './machine-storage.ts';
import { nodeServingPair } from './pki.ts';
import type { ClusterPlan, CriEndpoints } from './plan-cluster.ts';
import type { PlannedNode } from './planned-nodes.ts';
import type { ChosenRuntime } from './runtime-choice.ts';
import { servedVersion } from './served-version.ts';
import type { StartOptions } from './start-cluster.ts';

/** What all nodes of this machine share. */
export interface LocalNodeSurroundings {
  readonly plan: ClusterPlan;
  readonly options: StartOptions;
  readonly controlPlane: ControlPlane;
  readonly images: ImageService;
  readonly imageUsers: ImageUsers;
  readonly settings: NodeSettings;
  /** Absent where there is none: containers are processes of the machine then. */
  readonly network: Network | undefined;
  readonly storage: Pick<MachineStorage, 'forNode'>;
  readonly runtime: ChosenRuntime;
}

/** A node that this process runs. */
export interface LocalNode {
  readonly name: string;
  readonly index: number;
  readonly agent: NodeAgent;
  readonly sampler: UsageSampler;
  /** What its containers' runtime cannot do. */
  readonly limitations: readonly string[];
  /** Ends the containers in order, then the agent. */
  stop(): Promise<void>;
}

/** Where a node is in the network; without `pods` these share the machine's. */
interface NodePlace {
  readonly pods?: PodNetwork;
  readonly address: string;
  readonly ipv6Address?: string;
  readonly kubeletPort: number;
}

/** What containers get to end in order when the node stops. */
const stopGraceMs = 2_000;

/** Starts a node, which takes over the containers that an earlier process left. Readiness is asked for separately. */
export async function startLocalNode(
  surroundings: LocalNodeSurroundings,
  { name, index, network: networkOf }: PlannedNode,
): Promise<LocalNode> {
  const { plan, options, controlPlane, network, storage, runtime: chosen } = surroundings;
  const { clock } = options;
  const onError = (error: unknown): void => options.report.warn(`node ${name}: ${textOf(error)}`);
  const podRange = nodeRange(plan.podCidr, index);
  const podCidr = formatIpv4Range(podRange);
  const pair = plan.ipv6 && { ipv4: plan.podCidr, ipv6: plan.ipv6.podCidr };
  const podCidr6 = pair && formatIpv6Range(pairedRange(pair, podRange));
  const directory = nodeDirectory(plan.dataDirectory, index);
  const containers = join(directory, 'containers');
  const cgroupRoot = `kanoe-${plan.id}/${index + 1}`;
  const isolated = networkOf === 'own' ? network?.isolatedNodes : undefined;
  const serving = await nodeServingPair(controlPlane.pki.ca, { name, addresses: [addressOf()], clock });
  const nodeClient = createClient(
    controlPlane.server.transport({
      name: `system:node:${name}`,
      groups: ['system:nodes', 'system:authenticated'],
    }),
  );
  const kubelet = createKubeletServer({
    agent: () => agent,
    clock,
    pages: createNodePages({
      agent: () => agent,
      sampler: () => sampler,
      clock,
      configuration: () => kubeletConfiguration(settings),
    }),
    guard: createKubeletGuard({ client: nodeClient, clock, nodeName: () => name }),
    tls: { ...serving, clientCa: controlPlane.pki.ca.cert },
  });
  const { settings, imageUsers } = surroundings;
  const logs = { maxBytes: settings.containerLogMaxBytes, maxFiles: settings.containerLogMaxFiles };
  const place = await joinNetwork();
  const cri = chosen.endpoints && (await joinCri(chosen.endpoints));
  const images = cri?.images ?? surroundings.images;
  const runtime =
    cri?.runtime ??
    (place.pods
      ? await createNativeRuntime({
          directory: containers,
          runDirectory: join(plan.runDirectory, String(index + 1)),
          neighbours: dirname(plan.runDirectory),
          clusterId: plan.id,
          cgroupRoot,
          seccompDirectory: join(plan.dataDirectory, 'seccomp'),
          images,
          network: place.pods,
          clock,
          logs,
        })
      : await createProcessRuntime({
          directory: containers,
          clusterId: plan.id,
          images,
          clock,
          searchPath: options.searchPath,
          logs,
        }));
  imageUsers.add(runtime);
  const agent = createNodeAgent({
    nodeName: name,
    client: nodeClient,
    runtime,
    images,
    clock,
    events: createEventRecorder(nodeClient, { clock, component: 'kubelet', host: name }),
    directory,
    podCIDRs: [podCidr, ...(podCidr6 === undefined ? [] : [podCidr6])],
    clusterDns: [nthAddress(plan.serviceCidr, 10)],
    clusterDomain: 'cluster.local',
    addresses: [
      { type: 'InternalIP', address: place.address },
      ...(place.ipv6Address === undefined
        ? []
        : [{ type: 'InternalIP' as const, address: place.ipv6Address }]),
      { type: 'Hostname', address: name },
    ],
    ...leaseOf(options),
    kubeletPort: place.kubeletPort,
    kubeletVersion: servedVersion(options.program.version).gitVersion,
    ...storage.forNode,
    settings,
    imagesDirectory: cri?.imagesDirectory ?? join(plan.dataDirectory, 'images'),
    imagesInUse: () => imageUsers.inUse(),
    ...(cri && { networkProblem: () => cri.networkProblem() }),
    onError,
  });
  agent.start();
  const sampler = createUsageSampler({
    runtime,
    clock,
    pods: () => agent.pods(),
    onError,
  });
  function addressOf(): string {
    if (!network) return '127.0.0.1';
    return isolated ? nodeAddress(plan.podCidr, index + 1) : network.gatewayOf(podCidr);
  }

  async function joinCri(endpoints: CriEndpoints): Promise<CriNode> {
    if (!network || index > 0)
      throw new ClusterError(
        'INVALID_OPTION',
        `node ${name} cannot be added: the container runtime behind ${endpoints.runtime} is one node`,
      );
    const { joinCriNode } = await import('./cri-node.ts');
    return await joinCriNode({
      plan,
      options,
      endpoints,
      nodeName: name,
      directory: containers,
      cgroupRoot,
      podCidr,
      gateway: network.gatewayOf(podCidr),
      network: await network.foreignPodNetworkFor(name, podCidr),
      ownImages: surroundings.images,
      onError,
    });
  }

  /** Gives the node its address, its pods a network, and its kubelet a port. */
  async function joinNetwork(): Promise<NodePlace> {
    const address = addressOf();
    const addresses = { address, ...(network && pair && { ipv6Address: pairedWith(pair, address) }) };
    if (network && isolated) {
      const port = await kubelet.listen({ host: network.address, port: 0 });
      const pods = await isolated.add({
        name,
        number: index + 1,
        podCidr,
        kubelet: { address: network.address, port },
      });
      return {
        ...addresses,
        pods: { ...pods, nodeNetns: pods.netnsPath },
        kubeletPort: isolatedKubeletPort,
      };
    }
    const pods = chosen.endpoints ? undefined : await network?.podNetworkFor(name, podCidr);
    return {
      ...addresses,
      kubeletPort: await kubelet.listen({ host: address, port: 0 }),
      ...(pods && { pods }),
    };
  }

  return {
    name,
    index,
    agent,
    sampler,
    limitations: runtime.limitations,
    async stop() {
      sampler.close();
      await agent.shutDown();
      await agent.stop();
      const running = (await runtime.listContainers()).filter(({ state }) => state === 'running');
      await Promise.all(running.map(({ id }) => runtime.stopContainer(id, stopGraceMs)));
      await kubelet.close();
      await runtime.close();
    },
  };
}

function pairedWith(pair: RangePair, address: string): string {
  return pairedAddress(pair, parseIpv4(address) ?? pair.ipv4.network);
}

/** A node must be heard of more than once before it counts as lost. */
function leaseOf({ nodeLoss }: StartOptions): { readonly leaseSeconds?: number } {
  const grace = nodeLoss?.monitorGraceMs;
  return grace === undefined ? {} : { leaseSeconds: Math.min(40, Math.max(1, Math.floor(grace / 1250))) };
}

/** Where the state of one node's containers lies. */
export function nodeDirectory(dataDirectory: string, index: number): string {
  return join(dataDirectory, 'nodes', String(index + 1));
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
