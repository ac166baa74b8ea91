import { hostname } from 'node:os';
import { join } from 'node:path';
import { builtinResources } from '../api/catalog.ts';
import { nodes, type Node } from '../api/core/v1.gen.ts';
import { legacySchema } from '../api/legacy/legacy-schema.ts';
import { metricsSchema } from '../api/metrics/metrics-schema.ts';
import { usageMetrics } from '../api/metrics/usage-metrics.ts';
import type { NodeUsage, UsageSource } from '../api/metrics/usage.ts';
import { withLegacyVersions } from '../api/legacy/with-legacy-versions.ts';
import type { AnyResource } from '../api/resource.ts';
import { queueMetrics } from '../base/metrics/queue-metrics.ts';
import { MetricRegistry } from '../base/metrics/registry.ts';
import { createClient } from '../client/create-client.ts';
import type { Client } from '../client/client.ts';
import { defaultServiceCidr } from '../api/networking/service-cidrs.ts';
import { allControllers, type ControllerOptions } from '../controllers/catalog.ts';
import type { NodeLifecycleSettings } from '../controllers/node-lifecycle/controller.ts';
import type { NodeIpamOptions } from '../controllers/node-ipam/controller.ts';
import type { BalancerRange } from '../controllers/service-load-balancer/plan.ts';
import { loadBalancerRange } from '../network/load-balancer-range.ts';
import { nodeAddressRange } from '../network/node-namespace.ts';
import { NODE_ANNOTATION } from '../node/simulated/kwok/stage.ts';
import type { SchemaTable } from '../machinery/schema/schema.ts';
import { kubernetesSchema } from '../machinery/schema/table.ts';
import type { Controller, WorkFailure } from '../reconcile/controller.ts';
import { createInformers } from '../reconcile/create-informers.ts';
import type { InformerFactory } from '../reconcile/informer.ts';
import { selectControllers } from '../reconcile/select-controllers.ts';
import { startControllers } from '../reconcile/start-controllers.ts';
import { scheduler } from '../scheduler/scheduler.ts';
import { createApiServer } from '../server/api-server.ts';
import type { ApiServer } from '../server/api-server.ts';
import { auditMetrics } from '../server/metrics/audit-metrics.ts';
import { tokenCacheMetrics } from '../server/metrics/token-cache-metrics.ts';
import { StoreError } from '../storage/kv.ts';
import { openLmdbStore } from '../storage/lmdb/lmdb-store.ts';
import { furtherAuthentication } from './authentication.ts';
import { apiServerFlags } from './api-server-flags.ts';
import { openAuditLog } from './audit.ts';
import { nodeRange, nthAddress } from './cidr.ts';
import { ClusterError } from './cluster-error.ts';
import { configuredScheduler } from './configured-scheduler.ts';
import { componentsOf } from './component-health.ts';
import { readFeatureGates } from './feature-gates.ts';
import { optionalApis } from './optional-apis.ts';
import { ensurePki } from './pki.ts';
import type { Pki } from './pki.ts';
import { machineAddresses, networksOf, type ClusterPlan, type NodeLossOptions } from './plan-cluster.ts';
import { servedVersion } from './served-version.ts';
import type { StartOptions } from './start-cluster.ts';

/** The part of a cluster that needs no node: store, API server, controllers, scheduler. */
export interface ControlPlane {
  readonly server: ApiServer;
  readonly pki: Pki;
  /** `https://127.0.0.1:6443`. */
  readonly url: string;
  readonly port: number;
  /** Whether it listens on all addresses of the machine, those that it gets later as well. */
  readonly listensEverywhere: boolean;
  /** As `system:kube-controller-manager` with all rights, and informers over it that everything in this process shares. */
  readonly client: Client;
  readonly informers: InformerFactory;
  close(): Promise<void>;
}

/** All addresses of the machine. */
const everywhere = '0.0.0.0';
const issuer = 'https://kubernetes.default.svc.cluster.local';

/** Throws `UNKNOWN_CONTROLLER` for a list that names something that does not exist. */
export function checkControllers(list: string): void {
  const range = { network: 0, prefix: 8, size: 2 ** 24 };
  controllersOf(list, {
    ca: '',
    signLegacyToken: () => '',
    signingAuthority: { cert: '', key: '' },
    loadBalancerRange: { range },
    nodeIpam: { clusterCidr: range, nodePrefix: 24, reserved: [] },
  });
}

function controllersOf(
  list: string,
  options: ControllerOptions,
  own: Controller = scheduler,
): readonly Controller[] {
  return selectControllers(list, [...allControllers(options), own]);
}

/** Starts the control plane of a planned cluster and listens on loopback. Throws `PORT_TAKEN` and the store's errors. */
export async function startControlPlane(
  plan: ClusterPlan,
  options: StartOptions,
  usage?: UsageSource,
): Promise<ControlPlane> {
  const { clock, report } = options;
  const ownScheduler = await configuredScheduler(options);
  const audit = options.audit && (await openAuditLog(options.audit, options));
  const metrics = new MetricRegistry();
  const authentication = await furtherAuthentication(options, {
    clock,
    apiAudiences: [issuer],
    observer: () => tokenCacheMetrics(metrics, clock),
  });
  const [store, pki] = await Promise.all([
    openLmdbStore({ directory: join(plan.dataDirectory, 'store'), clock }),
    ensurePki(join(plan.dataDirectory, 'pki'), serverNames(plan), clock),
  ]);
  try {
    const table = schemaOf(options);
    const withNodeLabels = (measured: NodeUsage): NodeUsage => {
      const labels = server.lookup.get(nodes, '', measured.node)?.metadata.labels;
      return labels ? { ...measured, labels } : measured;
    };
    const onAuditEvent = auditMetrics(metrics);
    let running: readonly Controller[] = [];
    let served: number | undefined;
    const server = await createApiServer({
      store,
      schema: table,
      clock,
      resources: (needs) => [
        ...versionsOf(
          builtinResources({
            ...needs,
            serviceCidr: networksOf(plan).services,
            components: () => componentsOf(running, ownScheduler),
          }),
          options,
        ),
        ...optionalApis(options.runtimeConfig ?? []),
        ...(usage ? usageMetrics({ ...usage, nodes: () => usage.nodes().map(withNodeLabels) }) : []),
      ],
      bootstrap: [defaultServiceCidr(networksOf(plan).services, clock.now())],
      tls: { ...pki.server, clientCa: pki.ca.cert },
      frontProxy: {
        ca: pki.frontProxyCa.cert,
        allowedNames: ['front-proxy-client'],
        credentials: pki.frontProxyClient,
      },
      serviceAccount: { issuer, signingKey: pki.serviceAccountKey },
      authentication,
      kubelet: {
        credentials: { ...pki.kubeletClient, ca: pki.ca.cert },
        resolveNode(name) {
          const node = server.lookup.get(nodes, '', name);
          const port = node?.status?.daemonEndpoints?.kubeletEndpoint?.Port;
          return port && node ? { host: kubeletHost(node), port } : undefined;
        },
      },
      version: servedVersion(options.program.version),
      features: readFeatureGates(options.featureGates ?? []),
      flags: () => apiServerFlags(plan, options, { issuer, port: served ?? plan.port }),
      ...(options.admissionPlugins && { admissionPlugins: options.admissionPlugins }),
      ...(options.nodeLoss && { tolerationSeconds: options.nodeLoss }),
      metrics,
      ...(options.program.rulesWorker !== '' && { rulesWorker: options.program.rulesWorker }),
      ...(audit ? { observers: [audit.observer(onAuditEvent)] } : {}),
      onFault: (error) => report.warn(`API server: ${faultText(error)}`),
    });
    const host = plan.outside?.listen === everywhere ? everywhere : '127.0.0.1';
    const { port } = await server.listen({ host, port: plan.port }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') throw error;
      if (options.port === undefined) return server.listen({ host, port: 0 });
      throw new ClusterError(
        'PORT_TAKEN',
        `port ${plan.port} of 127.0.0.1 is taken by another process; give another --port, or --port 0 for a free one`,
        { cause: error },
      );
    });
    served = port;
    if (plan.outside && plan.outside.listen !== everywhere)
      await server.listen({ host: plan.outside.listen, port });
    const client = clientOf(server, 'system:kube-controller-manager');
    const informers = createInformers(client, { clock });
    const controllerOptions: ControllerOptions = {
      ca: pki.ca.cert,
      signingAuthority: pki.ca,
      signLegacyToken: (claims) => server.tokens.issueLegacy(claims),
      loadBalancerRange: balancerRangeOf(plan),
      nodeIpam: nodeIpamOptions(plan),
      ...(options.nodeLoss && { nodeLifecycle: lifecycleOf(options.nodeLoss) }),
    };
    running = controllersOf(options.controllers, controllerOptions, ownScheduler);
    const shared = {
      informers,
      clock,
      observeQueue: queueMetrics(metrics, clock),
      metrics,
      onFailure: ({ controller, key, error, failures }: WorkFailure): void => {
        if (failures === 5)
          report.warn(`${controller}: ${key}: ${error instanceof Error ? error.message : String(error)}`);
      },
    };
    const schedules = (controller: Controller): boolean => controller === ownScheduler;
    const controllers = [
      startControllers(
        running.filter((controller) => !schedules(controller)),
        { client, ...shared },
      ),
      startControllers(running.filter(schedules), {
        client: clientOf(server, 'system:kube-scheduler'),
        ...shared,
      }),
    ];
    return {
      server,
      pki,
      url: `https://127.0.0.1:${port}`,
      port,
      listensEverywhere: host === everywhere,
      client,
      informers,
      async close() {
        await Promise.all(controllers.map((started) => started.stop()));
        await informers.stop();
        await server.close();
        await store.close();
        await audit?.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** A client in this process for a component, which may do everything. */
function clientOf(server: ApiServer, name: string): Client {
  return createClient(server.transport({ name, groups: ['system:masters', 'system:authenticated'] }));
}

/** The networks of this machine's own nodes, of which there may be more next time, are planned; others get what is left. */
function nodeIpamOptions({ podCidr, ipv6, nodes: own }: ClusterPlan): NodeIpamOptions {
  const spare = Math.min(16, 2 ** (24 - podCidr.prefix) / 4);
  const machine = Array.from({ length: Math.max(spare, own.length) }, (_, at) => nodeRange(podCidr, at));
  return {
    clusterCidr: podCidr,
    ...(ipv6 && { ipv6: ipv6.podCidr }),
    nodePrefix: 24,
    reserved: [...machine, nodeAddressRange(podCidr), loadBalancerRange(podCidr)],
  };
}

function balancerRangeOf({ podCidr, ipv6 }: ClusterPlan): BalancerRange {
  return { range: loadBalancerRange(podCidr), ...(ipv6 && { pair: { ipv4: podCidr, ipv6: ipv6.podCidr } }) };
}

/** Simulated nodes have no address of their own: whoever simulates them answers on this machine. */
function kubeletHost({ metadata, status }: Node): string {
  if (metadata.annotations?.[NODE_ANNOTATION] === 'fake') return '127.0.0.1';
  return status?.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? '127.0.0.1';
}

function lifecycleOf({ monitorGraceMs, startupGraceMs }: NodeLossOptions): Partial<NodeLifecycleSettings> {
  return {
    ...(monitorGraceMs !== undefined && { graceMs: monitorGraceMs }),
    ...(startupGraceMs !== undefined && { startupGraceMs }),
  };
}

function schemaOf({ legacyApis }: StartOptions): SchemaTable {
  const table = metricsSchema(kubernetesSchema());
  return legacyApis ? legacySchema(table) : table;
}

function versionsOf(resources: AnyResource[], { legacyApis }: StartOptions): AnyResource[] {
  return legacyApis ? withLegacyVersions(resources) : resources;
}

/** What went wrong with the store is the machine's state; anything else is a fault of the program. */
function faultText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error instanceof StoreError ? error.message : (error.stack ?? error.message);
}

function outsideAddresses({ outside }: ClusterPlan): readonly string[] {
  if (!outside) return [];
  return outside.listen === everywhere
    ? [outside.advertise, ...machineAddresses()]
    : [outside.advertise, outside.listen];
}

function serverNames(plan: ClusterPlan): {
  readonly dns: readonly string[];
  readonly ips: readonly string[];
} {
  return {
    dns: [
      'kubernetes',
      'kubernetes.default',
      'kubernetes.default.svc',
      'kubernetes.default.svc.cluster.local',
      'localhost',
      hostname(),
    ],
    ips: [
      ...new Set([
        '127.0.0.1',
        nthAddress(plan.serviceCidr, 1),
        nthAddress(plan.podCidr, 1),
        ...outsideAddresses(plan),
      ]),
    ],
  };
}
