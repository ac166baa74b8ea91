import { join } from 'node:path';
import { formatIpv4Range } from '../base/ipv4.ts';
import { createClient } from '../client/create-client.ts';
import type { Network } from '../network/start-network.ts';
import { createNodeAgent } from '../node/agent.ts';
import type { NodeAgent } from '../node/agent.ts';
import type { ImageService } from '../node/image-service.ts';
import { createKubeletServer } from '../node/kubelet-server/kubelet-server.ts';
import { createNodePages } from '../node/kubelet-server/node-pages.ts';
import { createNativeRuntime } from '../node/runtimes/native/native-runtime.ts';
import { createProcessRuntime } from '../node/runtimes/process/process-runtime.ts';
import { createUsageSampler, type UsageSampler } from '../node/stats/usage-sampler.ts';
import { createEventRecorder } from '../reconcile/create-event-recorder.ts';
import { nodeRange, nthAddress } from './cidr.ts';
import type { ControlPlane } from './control-plane.ts';
import type { MachineStorage } from './machine-storage.ts';
import type { ClusterPlan } from './plan-cluster.ts';
import { servedVersion } from './served-version.ts';
import type { StartOptions } from './start-cluster.ts';

/** What all nodes of this machine share. */
export interface LocalNodeSurroundings {
  readonly plan: ClusterPlan;
  readonly options: StartOptions;
  readonly controlPlane: ControlPlane;
  readonly images: ImageService;
  /** Absent where there is none: containers are processes of the machine then. */
  readonly network: Network | undefined;
  readonly storage: Pick<MachineStorage, 'forNode'>;
}

/** A node of this machine; `index` counts from 0 and decides its directory and its pods' addresses. */
export interface LocalNodeIdentity {
  readonly name: string;
  readonly index: number;
}

/** A node that this process runs. */
export interface LocalNode extends LocalNodeIdentity {
  readonly agent: NodeAgent;
  readonly sampler: UsageSampler;
  /** What its containers' runtime cannot do. */
  readonly limitations: readonly string[];
  /** Ends the containers in order, then the agent. */
  stop(): Promise<void>;
}

/** What containers get to end in order when the node stops. */
const stopGraceMs = 2_000;

/** Starts a node, which takes over the containers that an earlier process left. Readiness is asked for separately. */
export async function startLocalNode(
  { plan, options, controlPlane, images, network, storage }: LocalNodeSurroundings,
  { name, index }: LocalNodeIdentity,
): Promise<LocalNode> {
  const { clock } = options;
  const onError = (error: unknown): void => options.report.warn(`node ${name}: ${textOf(error)}`);
  const podCidr = formatIpv4Range(nodeRange(plan.podCidr, index));
  const directory = nodeDirectory(plan.dataDirectory, index);
  const containers = join(directory, 'containers');
  const runtime = network
    ? await createNativeRuntime({
        directory: containers,
        runDirectory: join(plan.runDirectory, String(index + 1)),
        clusterId: plan.id,
        cgroupRoot: `kanoe-${plan.id}/${index + 1}`,
        images,
        network: await network.podNetworkFor(name, podCidr),
        clock,
      })
    : await createProcessRuntime({
        directory: containers,
        clusterId: plan.id,
        images,
        clock,
        searchPath: options.searchPath,
      });
  const gateway = network?.gatewayOf(podCidr) ?? '127.0.0.1';
  const kubelet = createKubeletServer({
    agent: () => agent,
    clock,
    pages: createNodePages({ agent: () => agent, sampler: () => sampler, clock }),
    tls: { ...controlPlane.pki.kubelet, clientCa: controlPlane.pki.ca.cert },
  });
  const kubeletPort = await kubelet.listen({ host: '127.0.0.1', port: 0 });
  const nodeClient = createClient(
    controlPlane.server.transport({
      name: `system:node:${name}`,
      groups: ['system:nodes', 'system:authenticated'],
    }),
  );
  const agent = createNodeAgent({
    nodeName: name,
    client: nodeClient,
    runtime,
    images,
    clock,
    events: createEventRecorder(nodeClient, { clock, component: 'kubelet', host: name }),
    directory,
    podCIDR: podCidr,
    clusterDns: [nthAddress(plan.serviceCidr, 10)],
    clusterDomain: 'cluster.local',
    addresses: [
      { type: 'InternalIP', address: gateway },
      { type: 'Hostname', address: name },
    ],
    kubeletPort,
    kubeletVersion: servedVersion(options.program.version).gitVersion,
    ...storage.forNode,
    onError,
  });
  agent.start();
  const sampler = createUsageSampler({
    runtime,
    clock,
    pods: () => agent.pods(),
    onError,
  });
  return {
    name,
    index,
    agent,
    sampler,
    limitations: runtime.limitations,
    async stop() {
      sampler.close();
      await agent.stop();
      const running = (await runtime.listContainers()).filter(({ state }) => state === 'running');
      await Promise.all(running.map(({ id }) => runtime.stopContainer(id, stopGraceMs)));
      await kubelet.close();
      await runtime.close();
    },
  };
}

/** Where the state of one node's containers lies. */
function nodeDirectory(dataDirectory: string, index: number): string {
  return join(dataDirectory, 'nodes', String(index + 1));
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
