import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { dirname, join } from 'node:path';
import { nodes } from '../../api/core/v1.gen.ts';
import { sleep, type Clock } from '../../base/clock.ts';
import type { Client } from '../../client/client.ts';
import { isStatus } from '../../machinery/status-error.ts';
import { kubeletPort } from '../../network/nftables/base-table.ts';
import { startJoinedNetwork } from '../../network/joined-network.ts';
import { createNodeAgent } from '../../node/agent.ts';
import { createKubeletGuard } from '../../node/kubelet-server/kubelet-guard.ts';
import { createKubeletServer } from '../../node/kubelet-server/kubelet-server.ts';
import { createNodePages } from '../../node/kubelet-server/node-pages.ts';
import { createNativeRuntime } from '../../node/runtimes/native/native-runtime.ts';
import { createProcessRuntime } from '../../node/runtimes/process/process-runtime.ts';
import { kubeletConfiguration } from '../../node/settings/kubelet-configuration.ts';
import { createUsageSampler } from '../../node/stats/usage-sampler.ts';
import { createImageService } from '../../oci/image-service.ts';
import { createEventRecorder } from '../../reconcile/create-event-recorder.ts';
import { createInformers } from '../../reconcile/create-informers.ts';
import { ClusterError } from '../cluster-error.ts';
import { openImageStore } from '../images.ts';
import { nodeImageService } from '../node-image-service.ts';
import { nodeSettings } from '../node-settings.ts';
import { selfSignedPair, type KeyPair } from '../pki.ts';
import type { KubeletOptions, RuntimeChoice } from '../plan-cluster.ts';
import { removeTraces } from '../remove-traces.ts';
import { chooseRuntime } from '../runtime-choice.ts';
import { servedVersion } from '../served-version.ts';
import type { ClusterSettings } from './join-cluster.ts';
import { keepRenewed } from './keep-renewed.ts';
import { requestCertificate } from './node-certificates.ts';

export interface NodeProcessOptions {
  readonly client: Client;
  /** Of the API server, `https://host:port`. */
  readonly server: string;
  /** The authority of those who may ask the kubelet; PEM. */
  readonly ca: string;
  readonly nodeName: string;
  /** Absent: the address from which this machine reaches the API server. */
  readonly nodeIp?: string;
  readonly settings: ClusterSettings;
  readonly labels: Readonly<Record<string, string>>;
  readonly kubelet?: KubeletOptions;
  readonly runtime: RuntimeChoice;
  /** The node's state. */
  readonly directory: string;
  readonly mirrors: ReadonlyMap<string, string>;
  /** For how long to ask for certificates; absent: for as long as the cluster gives them. */
  readonly lifetimeSeconds?: number;
  readonly searchPath: string;
  readonly program: { readonly unpack: string; readonly version: string };
  readonly clock: Clock;
  readonly signal: AbortSignal;
  say(line: string): void;
  /** The node is Ready. */
  ready(): void;
}

const stopGraceMs = 2_000;
const servingPatienceMs = 15_000;
const pollMs = 200;

/** Runs this machine as a node of a cluster elsewhere until the signal; then its containers end, and nothing is left of it but files. */
export async function runNode(options: NodeProcessOptions): Promise<void> {
  const { client, nodeName, directory, clock, signal, settings, say } = options;
  const onError = (error: unknown): void => {
    if (!signal.aborted) say(error instanceof Error ? error.message : String(error));
  };
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const id = await identityOf(directory);
  const chosen = await chooseRuntime({ runtime: options.runtime, nodes: 1 });
  if (chosen.endpoints)
    throw new ClusterError(
      'INVALID_OPTION',
      'a node that joins runs containers by itself: native or process',
    );
  const native = chosen.name === 'native';
  const place = {
    id,
    dataDirectory: directory,
    runDirectory: native ? join('/run/kanoe', id) : join(directory, 'run'),
  };
  const address = options.nodeIp ?? (await localAddress(options.server));
  const addresses = [
    { type: 'InternalIP', address },
    { type: 'Hostname', address: nodeName },
  ] as const;
  const nodePodCidr = await announce();
  say(`node ${nodeName} at ${address}, pods ${nodePodCidr}`);
  const certified = await requestServing().catch((error: unknown) => {
    signal.throwIfAborted();
    onError(new Error(`the kubelet serves with a certificate of its own: ${String(error)}`));
  });
  const serving = certified ?? (await selfSignedPair({ name: nodeName, addresses: [address], clock }));
  const informers = createInformers(client, {
    clock,
    onError: ({ resource }, error) => onError(new Error(`watch of ${resource}: ${String(error)}`)),
  });
  const network = native
    ? await startJoinedNetwork({
        id,
        nodeName,
        informers,
        clock,
        podCidr: settings.podCidr,
        nodePodCidr,
        serviceCidr: settings.serviceCidr,
        address,
        directory: join(directory, 'network'),
        onError,
      })
    : undefined;
  const images = nodeImageService(
    createImageService({
      store: openImageStore(directory, options.program.unpack),
      nodeImageDirectory: join(directory, 'images', 'node'),
      mirrors: options.mirrors,
    }),
  );
  const nodeConfiguration = await nodeSettings(options.kubelet);
  const logs = {
    maxBytes: nodeConfiguration.containerLogMaxBytes,
    maxFiles: nodeConfiguration.containerLogMaxFiles,
  };
  const nodeFolder = join(directory, 'nodes', '1');
  const common = { directory: join(nodeFolder, 'containers'), clusterId: id, images, clock, logs };
  const runtime = network
    ? await createNativeRuntime({
        ...common,
        runDirectory: join(place.runDirectory, '1'),
        neighbours: dirname(place.runDirectory),
        cgroupRoot: `kanoe-${id}/1`,
        network: network.pods,
      })
    : await createProcessRuntime({ ...common, searchPath: options.searchPath });
  const kubelet = createKubeletServer({
    agent: () => agent,
    clock,
    pages: createNodePages({
      agent: () => agent,
      sampler: () => sampler,
      clock,
      configuration: () => kubeletConfiguration(nodeConfiguration),
    }),
    guard: createKubeletGuard({ client, clock, nodeName: () => nodeName }),
    tls: { ...serving, clientCa: options.ca },
  });
  if (certified)
    void keepRenewed({
      pair: certified,
      what: 'the serving certificate',
      clock,
      signal,
      say,
      request: requestServing,
      use: (pair) => kubelet.renew(pair),
    });
  const port = await kubelet
    .listen({ host: address, port: kubeletPort })
    .catch(() => kubelet.listen({ host: address, port: 0 }));
  const agent = createNodeAgent({
    nodeName,
    client,
    runtime,
    images,
    clock,
    events: createEventRecorder(client, { clock, component: 'kubelet', host: nodeName }),
    directory: nodeFolder,
    clusterDns: settings.clusterDns,
    clusterDomain: settings.clusterDomain,
    addresses,
    labels: options.labels,
    kubeletPort: port,
    kubeletVersion: servedVersion(options.program.version).gitVersion,
    settings: nodeConfiguration,
    imagesDirectory: join(directory, 'images'),
    imagesInUse: async () => new Set((await runtime.listContainers()).map(({ imageId }) => imageId)),
    onError,
  });
  agent.start();
  const sampler = createUsageSampler({ runtime, clock, pods: () => agent.pods(), onError });
  agent.ready.then(options.ready, () => undefined);
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  sampler.close();
  await agent.stop();
  const running = (await runtime.listContainers()).filter(({ state }) => state === 'running');
  await Promise.all(running.map((container) => runtime.stopContainer(container.id, stopGraceMs)));
  await kubelet.close();
  await runtime.close();
  await network?.stop();
  await informers.stop();
  await removeTraces(place, clock);

  /** Makes the Node object, if it is not there, and waits until the cluster has given it addresses for its pods. */
  async function announce(): Promise<string> {
    const resource = client.for(nodes);
    const labels = { 'kubernetes.io/hostname': nodeName, ...options.labels };
    await resource
      .create({
        apiVersion: 'v1',
        kind: 'Node',
        metadata: {
          name: nodeName,
          labels,
          annotations: { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' },
        },
        spec: {},
        status: { addresses: [...addresses] },
      })
      .catch((error: unknown) => {
        if (!isStatus(error, 'AlreadyExists')) throw error;
      });
    for (let waited = 0; ; waited += pollMs) {
      const range = (await resource.get({ name: nodeName }, { signal })).spec?.podCIDR;
      if (range !== undefined) return range;
      if (waited === 10_000)
        say('waiting for the cluster to give this node addresses for its pods (spec.podCIDR)');
      await sleep(clock, pollMs, signal);
    }
  }

  function requestServing(): Promise<KeyPair> {
    const { lifetimeSeconds } = options;
    return requestCertificate({
      client,
      clock,
      signal: AbortSignal.any([signal, AbortSignal.timeout(servingPatienceMs)]),
      nodeName,
      purpose: { kind: 'serving', dns: [nodeName], ips: [address] },
      ...(lifetimeSeconds !== undefined && { lifetimeSeconds }),
    });
  }
}

/** Six hexadecimal digits by which this node's links and rules are found; kept in its directory. */
async function identityOf(directory: string): Promise<string> {
  const file = join(directory, 'node.id');
  const held = await readFile(file, 'utf8').catch(() => '');
  if (/^[0-9a-f]{6}$/.test(held)) return held;
  const id = randomBytes(3).toString('hex');
  await writeFile(file, id, { mode: 0o600 });
  return id;
}

/** The address of this machine from which a server is reached. */
function localAddress(server: string): Promise<string> {
  const { hostname: host, port } = new URL(server);
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host, port: Number(port || 443), family: 4 });
    socket.once('error', (cause) =>
      reject(new ClusterError('FAILED', `${server} cannot be reached: ${cause.message}`, { cause })),
    );
    socket.once('connect', () => {
      const { localAddress: found } = socket;
      socket.destroy();
      if (found === undefined) reject(new ClusterError('FAILED', 'give --node-ip'));
      else resolve(found);
    });
  });
}
