import { Resolver } from 'node:dns/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { sleep } from '../base/clock.ts';
import { createEventRecorder } from '../reconcile/create-event-recorder.ts';
import { nodes as nodeResource } from '../api/core/v1.gen.ts';
import type { NodeUsage, UsageSource } from '../api/metrics/usage.ts';
import { createClient } from '../client/create-client.ts';
import { createNodeAgent } from '../node/agent.ts';
import type { NodeAgent } from '../node/agent.ts';
import type { ContainerRuntime } from '../node/container-runtime.ts';
import { createKubeletServer } from '../node/kubelet-server/kubelet-server.ts';
import { createNodePages } from '../node/kubelet-server/node-pages.ts';
import type { KubeletServer } from '../node/kubelet-server/kubelet-server.ts';
import { createNativeRuntime } from '../node/runtimes/native/native-runtime.ts';
import { createProcessRuntime } from '../node/runtimes/process/process-runtime.ts';
import { NODE_ANNOTATION } from '../node/simulated/kwok/stage.ts';
import { ensureKubernetesService } from '../network/ensure-kubernetes-service.ts';
import { createUsageSampler, usageOf, type UsageSampler } from '../node/stats/usage-sampler.ts';
import { startNetwork } from '../network/start-network.ts';
import type { Network } from '../network/start-network.ts';
import { createImageService } from '../oci/image-service.ts';
import type { ImageStore } from '../oci/image-store.ts';
import { formatIpv4Range } from '../base/ipv4.ts';
import { nodeRange, nthAddress } from './cidr.ts';
import { ClusterError } from './cluster-error.ts';
import type { ControlPlane } from './control-plane.ts';
import { nodeImageService } from './node-image-service.ts';
import type { ClusterPlan } from './plan-cluster.ts';
import type { ChosenRuntime } from './runtime-choice.ts';
import { servedVersion } from './served-version.ts';
import { superviseSimulation } from './simulation.ts';
import type { StartOptions } from './start-cluster.ts';

/** The nodes of a cluster on this machine and the network between them. */
export interface Machine {
  readonly limitations: readonly string[];
  /** What the nodes and their pods use. */
  readonly usage: UsageSource;
  /** Resolves when every node says Ready, the simulated ones too. */
  nodesReady(): Promise<void>;
  /** Resolves when the cluster's DNS answers for the API's own name; absent where there is no DNS. */
  dnsAnswers?(): Promise<void>;
  /** Ends the containers in order, then the agents and the network. */
  stop(): Promise<void>;
}

export interface MachineOptions {
  readonly plan: ClusterPlan;
  readonly options: StartOptions;
  readonly controlPlane: ControlPlane;
  readonly images: ImageStore;
  readonly runtime: ChosenRuntime;
}

interface RunningNode {
  readonly agent: NodeAgent;
  readonly kubelet: KubeletServer;
  readonly runtime: ContainerRuntime;
  readonly sampler: UsageSampler;
}

/** What containers get to end in order when the whole cluster stops. */
const stopGraceMs = 2_000;
const dnsPollMs = 5;
const dnsPatienceMs = 30_000;
const withoutNetwork = 'services and DNS are not there: they need root on Linux';

/** Where the state of one node's containers lies. */
export function nodeDirectory(dataDirectory: string, index: number): string {
  return join(dataDirectory, 'nodes', String(index + 1));
}

/** The first node has the cluster's own name, so that it stays the same node when others are added. */
function nodeNameOf(cluster: string, index: number): string {
  return index === 0 ? cluster : `${cluster}-${index + 1}`;
}

/** Starts the network and the nodes. Resolves when they have been started; readiness is asked for separately. */
export async function startMachine({
  plan,
  options,
  controlPlane,
  images,
  runtime,
}: MachineOptions): Promise<Machine> {
  const { clock, report } = options;
  const { client, informers } = controlPlane;
  const isolated = runtime.name === 'native';
  const network = isolated && options.nodes > 0 ? await startClusterNetwork() : undefined;
  await ensureKubernetesService(client, {
    clusterIP: nthAddress(plan.serviceCidr, 1),
    port: controlPlane.port,
    ...(network && { address: network.address }),
  });
  if (options.nodes > 0) await removeFormerNodes();
  // One for all nodes: what two of them want at once is fetched or made once.
  const imageService = nodeImageService(
    createImageService({
      store: images,
      nodeImageDirectory: join(plan.dataDirectory, 'images', 'node'),
      mirrors: options.mirrors,
    }),
  );
  const nodes = await Promise.all(Array.from({ length: options.nodes }, (_, index) => startNode(index)));
  const simulation = superviseSimulation({ options, controlPlane });
  const limitations = [
    ...(network?.limitations ?? (isolated ? [] : [withoutNetwork])),
    ...new Set(nodes.flatMap((node) => node.runtime.limitations)),
  ];

  /** Those that an earlier start had and this one has not: nobody will ever run what is bound to them. */
  async function removeFormerNodes(): Promise<void> {
    const expected = Array.from({ length: options.nodes }, (_, index) => nodeNameOf(plan.name, index));
    for (const { metadata } of (await client.for(nodeResource).list()).items) {
      if (metadata.annotations?.[NODE_ANNOTATION] === 'fake') continue;
      const own = metadata.name === plan.name || /^-\d+$/.test(metadata.name.slice(plan.name.length));
      if (metadata.name.startsWith(plan.name) && own && !expected.includes(metadata.name))
        await client.for(nodeResource).delete({ name: metadata.name });
    }
  }

  async function dnsAnswers({ ready, dnsAddress }: Network): Promise<void> {
    await ready;
    const resolver = new Resolver({ timeout: 500, tries: 1 });
    resolver.setServers([dnsAddress]);
    const deadline = clock.monotonic() + dnsPatienceMs;
    for (;;) {
      options.signal.throwIfAborted();
      try {
        await resolver.resolve4('kubernetes.default.svc.cluster.local');
        return;
      } catch (error) {
        if (clock.monotonic() > deadline)
          throw new ClusterError(
            'FAILED',
            `the cluster's DNS at ${dnsAddress} does not answer: ${textOf(error)}`,
            { cause: error },
          );
        await sleep(clock, dnsPollMs, options.signal);
      }
    }
  }

  async function startClusterNetwork(): Promise<Network> {
    const started = await startNetwork({
      clusterId: plan.id,
      client,
      informers,
      clock,
      podCidr: formatIpv4Range(plan.podCidr),
      serviceCidr: formatIpv4Range(plan.serviceCidr),
      directory: join(plan.dataDirectory, 'network'),
      proxy: 'auto',
      workerFile: options.program.networkWorker,
      events: createEventRecorder(client, { clock, component: 'kube-proxy', host: hostname() }),
      onError: (error) => report.warn(`network: ${textOf(error)}`),
    });
    await controlPlane.server.listen({ host: started.address, port: controlPlane.port });
    return started;
  }

  async function startNode(index: number): Promise<RunningNode> {
    const nodeName = nodeNameOf(plan.name, index);
    const onError = (error: unknown): void => report.warn(`node ${nodeName}: ${textOf(error)}`);
    const podCidr = formatIpv4Range(nodeRange(plan.podCidr, index));
    const directory = nodeDirectory(plan.dataDirectory, index);
    const containers = join(directory, 'containers');
    const containerRuntime = network
      ? await createNativeRuntime({
          directory: containers,
          runDirectory: join(plan.runDirectory, String(index + 1)),
          clusterId: plan.id,
          cgroupRoot: `kanoe-${plan.id}/${index + 1}`,
          images: imageService,
          network: await network.podNetworkFor(nodeName, podCidr),
          clock,
        })
      : await createProcessRuntime({
          directory: containers,
          clusterId: plan.id,
          images: imageService,
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
        name: `system:node:${nodeName}`,
        groups: ['system:nodes', 'system:authenticated'],
      }),
    );
    const agent = createNodeAgent({
      nodeName,
      client: nodeClient,
      runtime: containerRuntime,
      images: imageService,
      clock,
      events: createEventRecorder(nodeClient, { clock, component: 'kubelet', host: nodeName }),
      directory,
      podCIDR: podCidr,
      clusterDns: [nthAddress(plan.serviceCidr, 10)],
      clusterDomain: 'cluster.local',
      addresses: [
        { type: 'InternalIP', address: gateway },
        { type: 'Hostname', address: nodeName },
      ],
      kubeletPort,
      kubeletVersion: servedVersion(options.program.version).gitVersion,
      onError,
    });
    agent.start();
    const sampler = createUsageSampler({
      runtime: containerRuntime,
      clock,
      pods: () => agent.pods(),
      onError,
    });
    return { agent, kubelet, runtime: containerRuntime, sampler };
  }

  return {
    limitations,
    usage: {
      nodes: () => nodes.flatMap(({ agent, sampler }) => nodeUsage(agent.nodeName, sampler) ?? []),
      pods: () => nodes.flatMap(({ sampler }) => sampler.pods()),
    },
    async nodesReady() {
      await Promise.all([...nodes.map((node) => node.agent.ready), simulation.nodesReady()]);
    },
    ...(network && { dnsAnswers: () => dnsAnswers(network) }),
    async stop() {
      await Promise.all([...nodes.map(stopNode), simulation.stop()]);
      await network?.stop();
    },
  };
}

function nodeUsage(node: string, sampler: UsageSampler): NodeUsage | undefined {
  const measured = sampler.node();
  if (!measured) return undefined;
  const { before, latest } = measured;
  return { node, labels: {}, at: latest.at, windowMs: latest.at - before.at, ...usageOf(measured) };
}

async function stopNode({ agent, kubelet, runtime, sampler }: RunningNode): Promise<void> {
  sampler.close();
  await agent.stop();
  const containers = await runtime.listContainers();
  await Promise.all(
    containers
      .filter(({ state }) => state === 'running')
      .map(({ id }) => runtime.stopContainer(id, stopGraceMs)),
  );
  await kubelet.close();
  await runtime.close();
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
