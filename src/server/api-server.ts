import { setMaxListeners } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { AnyResource, ResourceDefinition, UserInfo } from '../api/resource.ts';
import type { AuthenticationOptions } from '../api/authentication/token-reviews.ts';
import type { AuthorizationOptions } from '../api/authorization/authorizer.ts';
import type { TokenOptions } from '../api/core/service-accounts.ts';
import type { ServiceOptions } from '../api/core/services.ts';
import {
  nodes,
  pods,
  secrets,
  serviceaccounts,
  type Secret,
  type ServiceAccount,
} from '../api/core/v1.gen.ts';
import { sleep, type Clock } from '../base/clock.ts';
import { MetricRegistry } from '../base/metrics/registry.ts';
import type { KubeObject } from '../machinery/object.ts';
import { decodeTrusted } from '../machinery/schema/decode.ts';
import type { SchemaTable } from '../machinery/schema/schema.ts';
import type { Transport } from '../machinery/transport.ts';
import type { Entry, Store, StoreError } from '../storage/kv.ts';
import { createAdmissionChain, type AdmissionPlugin } from './admission/admission-chain.ts';
import { alwaysPullImages } from './admission/always-pull-images.ts';
import { deviceAdminAccess } from './admission/device-admin-access.ts';
import { eventRateLimit } from './admission/event-rate-limit.ts';
import { ownerReferencesPermission } from './admission/owner-references-permission.ts';
import { podSecurity } from './admission/pod-security/pod-security.ts';
import { certificateApproval } from './admission/certificate-approval.ts';
import { certificateSigning } from './admission/certificate-signing.ts';
import { certificateSubjectRestriction } from './admission/certificate-subject-restriction.ts';
import { clusterTrustBundleAttest } from './admission/cluster-trust-bundle-attest.ts';
import { defaultIngressClass } from './admission/default-ingress-class.ts';
import { defaultStorageClass } from './admission/default-storage-class.ts';
import { defaultTolerationSeconds, type TolerationSeconds } from './admission/default-toleration-seconds.ts';
import type { Lookup } from './admission/lookup.ts';
import { limitRanger } from './admission/limit-ranger.ts';
import { namespaceLifecycle } from './admission/namespace-lifecycle.ts';
import { nodeRestriction } from './admission/node-restriction.ts';
import { persistentVolumeClaimResize } from './admission/persistent-volume-claim-resize.ts';
import { podResize } from './admission/pod-resize.ts';
import { podTopologyLabels } from './admission/pod-topology-labels.ts';
import { priority } from './admission/priority.ts';
import { rbacEscalation } from './admission/rbac-escalation.ts';
import { resourceQuota } from './admission/resource-quota.ts';
import { selectPlugins, type PluginSwitches } from './admission/select-plugins.ts';
import { runtimeClass } from './admission/runtime-class.ts';
import { serviceAccount } from './admission/service-account.ts';
import { storageObjectInUseProtection } from './admission/storage-object-in-use-protection.ts';
import { taintNodesByCondition } from './admission/taint-nodes-by-condition.ts';
import { expressionPaces } from './admission/policies/expression-pace.ts';
import { conditionCompiler } from './admission/policies/match-conditions.ts';
import { mutatingPolicies } from './admission/policies/mutating-policies.ts';
import { validatingPolicies } from './admission/policies/validating-policies.ts';
import { paramSource } from './param-source.ts';
import { mutatingWebhooks } from './admission/webhooks/mutating-webhooks.ts';
import { validatingWebhooks } from './admission/webhooks/validating-webhooks.ts';
import { calloutClient } from './callout/https-callout.ts';
import { endpointResolver } from './callout/service-resolver.ts';
import { createAuthenticator } from './auth/authenticate.ts';
import { aggregatedDiscoveryRoute } from './aggregation/aggregated-discovery.ts';
import { aggregatedOpenapiRoute } from './aggregation/aggregated-openapi.ts';
import { createAggregator } from './aggregation/aggregator.ts';
import { keepLocalApiServices, localApiServices } from './aggregation/local-api-services.ts';
import type { ProxyCredentials } from './aggregation/remote-server.ts';
import { createBootstrapTokens } from './auth/bootstrap-token.ts';
import { createImpersonation } from './auth/impersonation.ts';
import { trackTokenUse } from './auth/legacy-token-use.ts';
import { createNodeAuthorizer } from './auth/node-authorizer.ts';
import { createNodeRelations } from './auth/node-relations.ts';
import { podsByNode } from './auth/pods-by-node.ts';
import { createRbacAuthorizer } from './auth/rbac-authorizer.ts';
import { ServiceAccountTokens, type TokenReferences } from './auth/service-account-token.ts';
import { authenticationConfigMap, createFrontProxies, type FrontProxyOptions } from './auth/front-proxy.ts';
import { createTokenUnion, type TokenAuthenticator } from './auth/token-authenticator.ts';
import { definitionNeeds } from './definition-needs.ts';
import { ensureBootstrapObjects } from './bootstrap-objects.ts';
import { ruleCompiler } from '../machinery/validation-rules/evaluate-rules.ts';
import { webhookConverter } from './extensions/webhook-converter.ts';
import { evaluationThread } from './extensions/evaluation-thread.ts';
import { startExtensions } from './extensions/start-extensions.ts';
import { cacheLookup, kindLookup, policySource } from './cache-lookup.ts';
import { servedGroups, type ServedGroup } from './discovery/discovery-documents.ts';
import { keepDanglingConditions } from './flow-control/dangling-conditions.ts';
import { createFlowController } from './flow-control/flow-controller.ts';
import { handleRequest, handleUpgrade, type HandlerParts } from './http/handle-request.ts';
import { healthChecks, typedChecks } from './http/health-checks.ts';
import { HttpsListener } from './http/https-listener.ts';
import { openapiRoute } from './http/openapi-route.ts';
import { requestBodies } from './http/read-body.ts';
import { fairTurns } from './http/turns.ts';
import { componentPages, type ComponentPages } from './http/component-pages.ts';
import { createPathRoutes, rootPaths, type HealthCheck, type PathRoute } from './http/path-routes.ts';
import { inProcessTransport } from './in-process-transport.ts';
import { observeAll, type RequestObserver } from './http/request-record.ts';
import {
  impersonationMetrics,
  measuredAccountTokens,
  measuredAuthenticator,
  measuredAuthorizer,
} from './metrics/access-metrics.ts';
import { admissionMetrics } from './metrics/admission-metrics.ts';
import { allocationMetrics } from './metrics/allocation-metrics.ts';
import { aggregationMetrics } from './metrics/aggregation-metrics.ts';
import { clientMetrics } from './metrics/client-metrics.ts';
import { handshakeMetrics, selfRequestMetrics } from './metrics/connection-metrics.ts';
import { celMetrics, extensionMetrics } from './metrics/extension-metrics.ts';
import { filterMetrics } from './metrics/filter-metrics.ts';
import { measuredStore } from './metrics/measured-store.ts';
import { metricsRoute, slisRoute } from './metrics/metrics-route.ts';
import { policyMetrics } from './metrics/policy-metrics.ts';
import { processMetrics } from './metrics/process-metrics.ts';
import { readMetrics } from './metrics/read-metrics.ts';
import { registryMetrics } from './metrics/registry-metrics.ts';
import { requestMetrics } from './metrics/request-metrics.ts';
import { podLogMetrics } from './metrics/pod-log-metrics.ts';
import { podSecurityMetrics } from './metrics/pod-security-metrics.ts';
import { versionMetrics } from './metrics/version-metrics.ts';
import { watchMetrics } from './metrics/watch-metrics.ts';
import { webhookMetrics } from './metrics/webhook-metrics.ts';
import { flowMetrics } from './metrics/flow-metrics.ts';
import { storageMetrics } from './metrics/storage-metrics.ts';
import { largeObjects } from './registry/give-way.ts';
import { KeyLock } from './registry/key-lock.ts';
import type { Registry } from './registry/request-context.ts';
import { ResourceTable, storagePrefix } from './registry/served-resource.ts';
import { NodeTunnel, type NodeEndpoint } from './streams/node-tunnel.ts';
import { ResourceCache } from './watch/resource-cache.ts';
import { StoreFeed } from './watch/store-feed.ts';

/** What the definitions of resources may ask of the server that serves them. */
export type DefinitionNeeds = TokenOptions &
  AuthenticationOptions &
  AuthorizationOptions &
  Pick<ServiceOptions, 'allocations'>;

export interface ApiServerOptions {
  readonly store: Store;
  readonly schema: SchemaTable;
  readonly clock: Clock;
  /** The definitions of everything that is served; called once. */
  resources(needs: DefinitionNeeds): readonly AnyResource[];
  /** PEM: the serving certificate and key, and the authority of client certificates. */
  readonly tls: { readonly cert: string; readonly key: string; readonly clientCa: string };
  readonly serviceAccount: {
    readonly issuer: string;
    /** P-256 private key, PKCS #8 PEM. */
    readonly signingKey: string;
    readonly apiAudiences?: readonly string[];
  };
  /** Who else may send requests, beside holders of client certificates, service-account tokens and bootstrap tokens. */
  readonly authentication?: {
    readonly tokens?: readonly TokenAuthenticator[];
    /** Whether requests without credentials may be about a path; any by default. */
    allowsAnonymous?(path: string): boolean;
  };
  /** With which the server shows itself to kubelets; without it `exec`, `log` and the like are refused. */
  readonly kubelet?: {
    readonly credentials: { readonly cert: string; readonly key: string; readonly ca: string };
    /** Where a node's kubelet endpoint listens; undefined when the node is unknown or has none. */
    resolveNode(name: string): NodeEndpoint | undefined;
  };
  /** The document of `/version`. */
  readonly version: ComponentPages['version'];
  /** How the server was started, in kube-apiserver's words, for `/flagz`. */
  flags?(): Readonly<Record<string, string>>;
  /** Objects that a new cluster must have beside the system's own. */
  readonly bootstrap?: readonly KubeObject[];
  /** Admission after the built-in plug-ins. */
  readonly admission?: readonly AdmissionPlugin[];
  /** Who may ask on behalf of others, and with what this server shows itself to extension API servers as such a one. */
  readonly frontProxy?: FrontProxyOptions & { readonly credentials: ProxyCredentials };
  /** Which optional plug-ins run, and which others do not. */
  readonly admissionPlugins?: PluginSwitches;
  /** For how long pods stay on nodes that stop answering. */
  readonly tolerationSeconds?: TolerationSeconds;
  /** Feature gates that are on, beside those that are by default. */
  readonly features?: Registry['features'];
  /** How long a server that is to stop still serves while `/readyz` fails already, so that others stop sending. Default 0. */
  readonly shutdownDelayMs?: number;
  /** The program (the built `bin/rules-worker`) of a thread for rules and expressions that take long; without it they run here. */
  readonly rulesWorker?: string;
  /** Further paths, tried before those of discovery. */
  readonly paths?: readonly PathRoute[];
  readonly readyChecks?: readonly HealthCheck[];
  /** Hear how requests go, beside the metrics: the audit log. */
  readonly observers?: readonly RequestObserver[];
  /** Where the server's numbers stand, served under `/metrics`; its own by default. */
  readonly metrics?: MetricRegistry;
  /** A fault of the server's own, which a client saw as 500, or the end of the store's watch. */
  onFault(error: unknown): void;
}

/** A running API server. */
export interface ApiServer {
  /** Serves one more address; resolves once it accepts connections. Rejects with the system's error (`EADDRINUSE`). */
  listen(address: { readonly host: string; readonly port: number }): Promise<AddressInfo>;
  /** The server by function call, as this user. */
  transport(user: UserInfo): Transport;
  /** Reads the caches directly. */
  readonly lookup: Lookup;
  readonly tokens: ServiceAccountTokens;
  /** Ends watches and connections. The store stays open. */
  close(): Promise<void>;
}

const registryRoot = '/registry/';
const serverUser: UserInfo = { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] };

function tokenReferences(lookup: Lookup, used: (secret: Secret) => void): TokenReferences {
  const types = { ServiceAccount: serviceaccounts, Pod: pods, Secret: secrets, Node: nodes } as const;
  return {
    exists(kind, { namespace, name, uid }) {
      const found = lookup.get<KubeObject>(types[kind], kind === 'Node' ? '' : namespace, name);
      return found?.metadata.uid === uid;
    },
    tokenSecret(namespace, name) {
      const secret = lookup.get<Secret>(secrets, namespace, name);
      return secret?.metadata.deletionTimestamp === undefined ? secret : undefined;
    },
    listsSecret(namespace, account, secret) {
      const listed = lookup.get<ServiceAccount>(serviceaccounts, namespace, account)?.secrets ?? [];
      return listed.some(({ name }) => name === secret);
    },
    used,
  };
}

function newCache(options: ApiServerOptions, definition: ResourceDefinition): ResourceCache {
  const stored = definition.versions[definition.storage];
  if (!stored) throw new Error(`a resource has no version ${definition.storage}`);
  const schema = { table: options.schema, message: stored.schema };
  const fields = Object.entries(definition.selectableFields ?? {});
  return new ResourceCache({
    prefix: storagePrefix(stored.type),
    namespaced: stored.type.namespaced,
    clock: options.clock,
    decode: (bytes) => decodeTrusted(bytes, schema) as Record<string, unknown> & KubeObject,
    selectable: (object) => Object.fromEntries(fields.map(([name, read]) => [name, read(object)])),
  });
}

/** How many stored objects are read at a time when a server starts. */
const restoreStep = 2_000;

/** Fills the caches from the store and follows it from there. */
async function restore(options: ApiServerOptions, table: ResourceTable, feed: StoreFeed): Promise<void> {
  const { store } = options;
  const caches = new Map(table.resources.map(({ cache }) => [cache.prefix, cache]));
  const revision = store.revision;
  let after: string | undefined;
  do {
    const page = await store.list(registryRoot, {
      limit: restoreStep,
      revision,
      ...(after !== undefined && { after }),
    });
    for (const [prefix, entries] of groupByPrefix(page.entries)) caches.get(prefix)?.load(entries);
    after = page.remaining > 0 ? page.entries.at(-1)?.key : undefined;
  } while (after !== undefined);
  for (const { cache, definition } of table.resources) {
    cache.restore([], revision);
    feed.subscribe(cache);
    definition.restore?.([...cache.current().range(cache.prefix)].map((entry) => cache.object(entry)));
  }
  feed.start(revision, (error: StoreError) => {
    for (const { cache } of table.resources) cache.end();
    if (error.code !== 'CLOSED') options.onFault(error);
  });
}

function groupByPrefix(entries: readonly Entry[]): ReadonlyMap<string, Entry[]> {
  const byPrefix = new Map<string, Entry[]>();
  for (const entry of entries) {
    const group = entry.key.indexOf('/', registryRoot.length);
    const prefix = entry.key.slice(0, entry.key.indexOf('/', group + 1) + 1);
    const list = byPrefix.get(prefix);
    if (list) list.push(entry);
    else byPrefix.set(prefix, [entry]);
  }
  return byPrefix;
}

/** Starts a server over a store: restores the caches, makes what a new cluster must have. It listens nowhere yet. */
export async function createApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { schema, clock } = options;
  const metrics = options.metrics ?? new MetricRegistry();
  const store = measuredStore(options.store, metrics, clock);
  const feed = new StoreFeed(store, registryRoot);
  const stop = new AbortController();
  const draining = new AbortController();
  setMaxListeners(0, stop.signal);
  const table = (): ResourceTable => resources;
  const lookup = cacheLookup(table);
  const policy = policySource(table, lookup);
  const authorizer = measuredAuthorizer(
    createNodeAuthorizer({
      policy,
      relations: createNodeRelations(
        lookup,
        podsByNode(() => table().stored('', 'pods')?.cache),
      ),
      next: createRbacAuthorizer(policy),
    }),
    metrics,
    clock,
  );
  const tokens = new ServiceAccountTokens({ ...options.serviceAccount, clock });
  const references = tokenReferences(
    lookup,
    trackTokenUse({
      clock,
      server: () => registry.server,
      onFault: (error) => options.onFault(error),
    }),
  );
  const authenticateToken = createTokenUnion([
    measuredAccountTokens(
      { authenticate: (token, audiences) => tokens.authenticate(token, audiences, references) },
      metrics,
    ),
    createBootstrapTokens({ lookup, clock, apiAudiences: tokens.apiAudiences }),
    ...(options.authentication?.tokens ?? []),
  ]);
  const nodeUid = (name: string): string => lookup.get<KubeObject>(nodes, '', name)?.metadata.uid ?? '';
  const definitions = options.resources({
    ...definitionNeeds({ authorizer, policy, tokens, authenticateToken, nodeUid }),
    allocations: allocationMetrics(metrics, clock),
  });
  const resources = new ResourceTable(definitions, (definition) => newCache(options, definition));
  await restore(options, resources, feed);
  await ensureBootstrapObjects({
    store,
    schema,
    clock,
    table: resources,
    further: [
      ...(options.bootstrap ?? []),
      ...localApiServices(resources, clock.now()),
      ...(options.frontProxy
        ? [authenticationConfigMap(options.tls.clientCa, options.frontProxy) as KubeObject]
        : []),
    ],
  });
  await feed.reached(store.revision);

  const groups = groupsOf(() => resources.definitions);
  const listeners: HttpsListener[] = [];
  let address: AddressInfo | undefined;
  const checks = healthChecks(draining.signal);
  const server = (): Transport => registry.server;
  const onFault = (error: unknown): void => options.onFault(error);
  const following = { clock, table, lookup, server, onFault };
  const aggregation = aggregationMetrics(metrics, lookup);
  const aggregator = createAggregator({
    ...following,
    onUnavailable: aggregation.unavailable,
    resolver: endpointResolver(lookup),
    credentials: options.frontProxy?.credentials,
  });
  const local = keepLocalApiServices(following);
  const listed = {
    groups,
    healthChecks: checks.health,
    readyChecks: [...checks.ready, ...(options.readyChecks ?? [])],
  };
  const paths = createPathRoutes({
    ...listed,
    serverAddress: () => (address ? `${address.address}:${address.port}` : ''),
    version: options.version,
    jwks: () => tokens.jwks(),
    openidConfiguration: () =>
      tokens.openidConfiguration(`https://${address?.address}:${address?.port}/openid/v1/jwks`),
    further: [
      aggregatedDiscoveryRoute({
        clock,
        groups,
        remotes: () => aggregator.remotes(),
        onAggregated: aggregation.discovered,
      }),
      aggregatedOpenapiRoute({
        clock,
        remotes: () => aggregator.remotes(),
        local: openapiRoute({
          clock,
          resources: () => resources.definitions,
          table: () => schema,
          version: versionOf(options.version),
        }),
      }),
      metricsRoute(metrics),
      slisRoute(new MetricRegistry(), () => typedChecks(checks)),
      componentPages({
        component: 'kube-apiserver',
        clock,
        version: options.version,
        paths: () => rootPaths(listed),
        flags: () => options.flags?.() ?? {},
      }),
      ...(options.paths ?? []),
    ],
  });
  storageMetrics(metrics, store, table);
  processMetrics(metrics, { clock, version: options.version });
  versionMetrics(metrics, options.version, options.features);
  registryMetrics(metrics);
  const observers = [requestMetrics(metrics, clock), ...(options.observers ?? [])];
  const observer = observeAll([...observers, podLogMetrics(metrics)]);
  const clients = clientMetrics(metrics, clock);
  const inProcessObserver = observeAll([...observers, clients.inProcess]);
  const ownObserver = observeAll([selfRequestMetrics(metrics)]);
  const onHandshakeError = handshakeMetrics(metrics);
  const connecting = {
    table,
    authorizer,
    paths,
    remoteOf: (path: string) => aggregator.remoteOf(path),
    signal: stop.signal,
  };
  const transport = (user: UserInfo): Transport =>
    inProcessTransport({ ...connecting, registry, observer: inProcessObserver }, user);
  const callouts = calloutClient({
    clock,
    services: endpointResolver(lookup),
    observer: clients.callouts,
  });
  const cel = celMetrics(metrics, clock);
  const large = largeObjects(clock);
  const isBusy = (): boolean => large.isBusy();
  const { rulesWorker: workerFile } = options;
  const long = workerFile === undefined ? undefined : evaluationThread({ clock, isBusy, workerFile });
  const newPace = expressionPaces({ clock, isBusy, elsewhere: long?.expression });
  const policyParts = {
    lookup,
    authorizer,
    params: paramSource(table, schema),
    observer: policyMetrics(metrics, cel),
    newPace,
  };
  const hookParts = {
    lookup,
    authorizer,
    schema,
    client: callouts,
    compile: conditionCompiler(newPace, cel),
    observer: webhookMetrics(metrics, clock),
  };
  let own: Transport | undefined;
  const registry: Registry = {
    store,
    feed,
    clock,
    schema,
    authorizer,
    locks: new KeyLock(),
    large,
    ...(options.features && { features: options.features }),
    observer: readMetrics(metrics),
    admission: createAdmissionChain(
      selectPlugins(
        [
          namespaceLifecycle(lookup),
          limitRanger(lookup),
          serviceAccount(lookup),
          taintNodesByCondition,
          priority(lookup),
          podTopologyLabels(lookup),
          podResize(lookup),
          defaultTolerationSeconds(options.tolerationSeconds),
          nodeRestriction({ lookup, authorizer }),
          rbacEscalation({ policy, authorizer }),
          alwaysPullImages,
          podSecurity(lookup, podSecurityMetrics(metrics)),
          eventRateLimit(clock),
          defaultStorageClass(lookup),
          storageObjectInUseProtection,
          ownerReferencesPermission({ authorizer, resourceOf: kindLookup(table) }),
          persistentVolumeClaimResize(lookup),
          runtimeClass(lookup),
          certificateApproval(authorizer),
          certificateSigning(authorizer),
          clusterTrustBundleAttest(authorizer),
          certificateSubjectRestriction,
          defaultIngressClass(lookup),
          deviceAdminAccess(lookup),
          resourceQuota({ lookup, clock, server: () => transport(serverUser) }),
          mutatingWebhooks(hookParts),
          validatingWebhooks(hookParts),
          mutatingPolicies(policyParts),
          validatingPolicies(policyParts),
          ...(options.admission ?? []),
        ],
        options.admissionPlugins ?? {},
      ),
      admissionMetrics(metrics, clock),
    ),
    get server() {
      own ??= inProcessTransport({ ...connecting, registry, observer: ownObserver }, serverUser);
      return own;
    },
  };
  const parts: HandlerParts = {
    registry,
    table,
    authorizer,
    authenticate: measuredAuthenticator(
      createAuthenticator({
        authenticateToken: (token) => authenticateToken(token, tokens.apiAudiences),
        allowsAnonymous: (path) => options.authentication?.allowsAnonymous?.(path) ?? true,
      }),
      metrics,
      clock,
    ),
    impersonate: createImpersonation(authorizer, impersonationMetrics(metrics, clock)),
    observer,
    filters: filterMetrics(metrics, clock),
    watchObserver: watchMetrics(metrics),
    paths,
    flow: createFlowController({ clock, table, observer: (read) => flowMetrics(metrics, clock, read) }),
    ...(options.frontProxy && { frontProxies: createFrontProxies(options.frontProxy) }),
    aggregation: { aggregator, tunnel: new NodeTunnel({}) },
    tunnel: options.kubelet && new NodeTunnel({ credentials: options.kubelet.credentials }),
    resolveNode: (name) => options.kubelet?.resolveNode(name),
    signal: stop.signal,
    bodies: requestBodies(clock),
    turns: fairTurns(clock),
    onFault: (error) => options.onFault(error),
  };
  const dangling = keepDanglingConditions(following);
  const extensions = startExtensions({
    ...following,
    store,
    feed,
    schema,
    compileRules: ruleCompiler({ observer: cel, ...(long && { elsewhere: long.rules }) }),
    observer: extensionMetrics(metrics, clock),
    webhookConverter: (definition, complete) => webhookConverter(definition, complete, callouts),
  });
  return {
    lookup,
    tokens,
    transport,
    async listen(wanted) {
      const listener = new HttpsListener({
        clock,
        tls: {
          ...options.tls,
          clientCa: [options.tls.clientCa, ...(options.frontProxy ? [options.frontProxy.ca] : [])],
        },
        onHandshakeError,
        onRequest: (request, response) => void handleRequest(parts, request, response),
        onUpgrade: (request, connection) => void handleUpgrade(parts, request, connection),
      });
      const bound = await listener.listen(wanted);
      listeners.push(listener);
      address ??= bound;
      return bound;
    },
    async close() {
      draining.abort();
      if (options.shutdownDelayMs) await sleep(clock, options.shutdownDelayMs);
      dangling.close();
      extensions.close();
      long?.close();
      local.close();
      aggregator.close();
      stop.abort();
      callouts.close();
      parts.tunnel?.close();
      await Promise.all(listeners.map((listener) => listener.close()));
      feed.close();
      for (const { cache } of resources.resources) cache.end();
    },
  };
}

/** The groups of the definitions, sorted anew after each change. */
function groupsOf(definitions: () => readonly ResourceDefinition[]): () => readonly ServedGroup[] {
  let known: readonly ResourceDefinition[] | undefined;
  let groups: readonly ServedGroup[] = [];
  return () => {
    const current = definitions();
    if (current !== known) groups = servedGroups(current);
    known = current;
    return groups;
  };
}

/** `1.36`, the release whose API is served. */
function versionOf({ gitVersion }: { readonly gitVersion: string }): string {
  return /^v?(\d+\.\d+)/.exec(gitVersion)?.[1] ?? gitVersion;
}
