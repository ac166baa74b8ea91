import { Resolver } from 'node:dns/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { sleep } from '../base/clock.ts';
import type { EventRecorder } from '../reconcile/event-recorder.ts';
import { createEventRecorder } from '../reconcile/create-event-recorder.ts';
import type { Node } from '../api/core/v1.gen.ts';
import type { NodeUsage, UsageSource } from '../api/metrics/usage.ts';
import { ensureKubernetesService } from '../network/ensure-kubernetes-service.ts';
import { usageOf, type UsageSampler } from '../node/stats/usage-sampler.ts';
import { reportUnenforced, unenforcedLimitation } from '../network/policies/report-unenforced.ts';
import { followRoutes } from '../network/follow-routes.ts';
import { NODE_ANNOTATION } from '../node/simulated/kwok/stage.ts';
import { followRemoteUsage } from './join/remote-usage.ts';
import { connectThrough } from './rootless/relay.ts';
import { startNetwork } from '../network/start-network.ts';
import type { Network } from '../network/start-network.ts';
import { createImageService } from '../oci/image-service.ts';
import type { ImageStore } from '../oci/image-store.ts';
import { formatIpv4Range } from '../base/ipv4.ts';
import { nthAddress } from './cidr.ts';
import { ClusterError } from './cluster-error.ts';
import type { ControlPlane } from './control-plane.ts';
import { startLocalNodes, type LocalNodes } from './local-nodes.ts';
import { ImageUsers } from './image-users.ts';
import { nodeImageService } from './node-image-service.ts';
import { nodeSettings } from './node-settings.ts';
import type { ClusterPlan } from './plan-cluster.ts';
import type { ChosenRuntime } from './runtime-choice.ts';
import { startMachineIngress, type MachineIngress } from './machine-ingress.ts';
import { startMachineStorage } from './machine-storage.ts';
import { superviseSimulation } from './simulation.ts';
import type { StartOptions } from './start-cluster.ts';

/** The nodes of a cluster on this machine and the network between them. */
export interface Machine {
  readonly nodes: LocalNodes;
  readonly limitations: readonly string[];
  /** What the nodes and their pods use. */
  readonly usage: UsageSource;
  /** Resolves when every node says Ready, the simulated ones too. */
  nodesReady(): Promise<void>;
  /** Resolves when the cluster's DNS answers for the API's own name; absent where there is no DNS. */
  dnsAnswers?(): Promise<void>;
  /** Resolves when the kinds of the Gateway API are served, where they are to be. */
  gatewayReady(): Promise<void>;
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

const dnsPollMs = 5;
const dnsPatienceMs = 30_000;
const sharedByPods = "pods run as plain processes and share the machine's network";
const sharedByNodes =
  'nft is not installed: the nodes share the network of this machine, and so do their node ports, host ports and hostNetwork pods';
const withoutNetwork = 'services and DNS are not there: they need root on Linux';

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
  const isolated = runtime.name !== 'process';
  let ingress: MachineIngress | undefined;
  const network = isolated && plan.nodes.length > 0 ? await startClusterNetwork() : undefined;
  await ensureKubernetesService(client, {
    clusterIP: nthAddress(plan.serviceCidr, 1),
    port: controlPlane.port,
    ...(network && { address: network.address }),
  });
  if (!isolated && plan.nodes.length > 0) {
    reportUnenforced({ informers, events: networkEvents(), reason: sharedByPods });
    informers.start();
  }
  ingress = startMachineIngress({ plan, options, controlPlane }, network?.address);
  // One for all nodes: what two of them want at once is fetched or made once.
  const imageService = nodeImageService(
    createImageService({
      store: images,
      nodeImageDirectory: join(plan.dataDirectory, 'images', 'node'),
      mirrors: options.mirrors,
      ...(options.rootless && {
        connect: connectThrough(join(options.rootless.place.directory, 'out.sock')),
      }),
    }),
  );
  const storage = startMachineStorage({ plan, options, controlPlane });
  const shared = {
    plan,
    options,
    controlPlane,
    images: imageService,
    imageUsers: new ImageUsers(),
    settings: await nodeSettings(options.kubelet),
    network,
    storage,
    runtime,
  };
  const nodes = await startLocalNodes(shared);
  const isElsewhere = ({ metadata }: Node): boolean =>
    metadata.annotations?.[NODE_ANNOTATION] !== 'fake' &&
    !nodes.list().some(({ name }) => name === metadata.name);
  const routes =
    network && plan.outside
      ? followRoutes({
          informers,
          source: network.address,
          isElsewhere,
          onError: (error) => report.warn(`network: ${textOf(error)}`),
        })
      : undefined;
  const remote = plan.outside
    ? followRemoteUsage({
        informers,
        clock,
        credentials: { ...controlPlane.pki.kubeletClient, ca: controlPlane.pki.ca.cert },
        isElsewhere,
      })
    : undefined;
  const simulation = superviseSimulation({ options, controlPlane });
  const limitations = [
    ...(network?.limitations ?? (isolated ? [] : [withoutNetwork, unenforcedLimitation(sharedByPods)])),
    ...(network && !network.isolatedNodes && plan.nodes.length > 1 ? [sharedByNodes] : []),
    ...new Set(nodes.running().flatMap((node) => node.limitations)),
  ];

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

  function networkEvents(): EventRecorder {
    return createEventRecorder(client, { clock, component: 'kube-proxy', host: hostname() });
  }

  async function startClusterNetwork(): Promise<Network> {
    const started = await startNetwork({
      clusterId: plan.id,
      client,
      informers,
      clock,
      podCidr: formatIpv4Range(plan.podCidr),
      serviceCidr: formatIpv4Range(plan.serviceCidr),
      ...(plan.ipv6 && { ipv6: plan.ipv6 }),
      apiPort: controlPlane.port,
      directory: join(plan.dataDirectory, 'network'),
      proxy: 'auto',
      workerFile: options.program.networkWorker,
      events: networkEvents(),
      onError: (error) => report.warn(`network: ${textOf(error)}`),
      onBalancerPortTaken: (service, port) => ingress?.portTaken(service, port),
    });
    if (!controlPlane.listensEverywhere)
      await controlPlane.server.listen({ host: started.address, port: controlPlane.port });
    return started;
  }

  return {
    nodes,
    limitations,
    usage: {
      nodes: () => [
        ...nodes.running().flatMap(({ name, sampler }) => nodeUsage(name, sampler) ?? []),
        ...(remote?.nodes() ?? []),
        ...simulation.usage.nodes(),
      ],
      pods: () => [
        ...nodes.running().flatMap(({ sampler }) => sampler.pods()),
        ...(remote?.pods() ?? []),
        ...simulation.usage.pods(),
      ],
    },
    async nodesReady() {
      await Promise.all([
        ...nodes.running().map((node) => node.agent.ready),
        simulation.nodesReady(),
        storage.ready,
        ingress?.ready,
      ]);
      ingress?.gatewayReady().catch((error: unknown) => report.warn(`Gateway API: ${textOf(error)}`));
      storage.startRest();
    },
    gatewayReady: async () => await ingress?.gatewayReady(),
    ...(network && { dnsAnswers: () => dnsAnswers(network) }),
    async stop() {
      await Promise.all([nodes.close(), simulation.stop()]);
      await storage.stop();
      await ingress?.stop();
      remote?.stop();
      await routes?.stop();
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

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
