import { readFileSync } from 'node:fs';
import { afterEach, expect, it } from 'vitest';
import { validatingadmissionpolicies } from '../api/admissionregistration/v1.gen.ts';
import { jobs } from '../api/batch/v1.gen.ts';
import { certificatesigningrequests, type CertificateSigningRequest } from '../api/certificates/v1.gen.ts';
import { leases } from '../api/coordination/v1.gen.ts';
import {
  configmaps,
  endpoints,
  namespaces,
  nodes,
  persistentvolumeclaims,
  persistentvolumes,
  pods,
  resourcequotas,
  secrets,
  serviceaccounts,
  services,
  type Pod,
} from '../api/core/v1.gen.ts';
import { endpointslices } from '../api/discovery/v1.gen.ts';
import { servicecidrs } from '../api/networking/v1.gen.ts';
import { clusterroles } from '../api/rbac/v1.gen.ts';
import { volumeattributesclasses } from '../api/storage/v1.gen.ts';
import {
  storageVersionMigrations,
  storageversionmigrations,
} from '../api/storagemigration/storage-version-migrations.ts';
import type { Clock } from '../base/clock.ts';
import type { KubeObject, Live, ResourceType } from '../machinery/object.ts';
import type { Controller } from '../reconcile/controller.ts';
import { eventually } from '../reconcile/eventually.ts';
import { startFaultBench, type FaultBench, type Place } from '../reconcile/fault-bench.ts';
import { randomFaults } from '../reconcile/faulty-transport.ts';
import { apiServerLeaseCollector } from './apiserver-lease/controller.ts';
import { bootstrapSignerController } from './bootstrap-tokens/bootstrap-signer.ts';
import { tokenCleanerController } from './bootstrap-tokens/token-cleaner.ts';
import { csrApprovingController } from './certificates/approving-controller.ts';
import { csrCleanerController } from './certificates/cleaner-controller.ts';
import { csrSigningController } from './certificates/signing-controller.ts';
import { clusterRoleAggregationController } from './cluster-role-aggregation/controller.ts';
import { endpointSliceMirroringController } from './endpoint-slice-mirroring/controller.ts';
import { endpointsController } from './endpoints/controller.ts';
import { ephemeralVolumeController } from './ephemeral-volume/controller.ts';
import { garbageCollector } from './garbage-collector/controller.ts';
import { legacyTokenCleaner } from './legacy-token-cleaner/controller.ts';
import { namespaceController } from './namespace/controller.ts';
import { defaultNodeLifecycleSettings, nodeLifecycleController } from './node-lifecycle/controller.ts';
import { nodeTtlController } from './node-ttl/controller.ts';
import { podGarbageCollector } from './pod-gc/controller.ts';
import { validatingPolicyStatusController } from './policy-status/controller.ts';
import { resourceQuotaController } from './resource-quota/controller.ts';
import { rootCaController } from './root-ca/controller.ts';
import { serviceAccountController } from './service-account/controller.ts';
import { serviceAccountTokenController } from './service-account-token/controller.ts';
import { serviceCidrController } from './service-cidr/controller.ts';
import { serviceLoadBalancerController } from './service-load-balancer/controller.ts';
import { attributesClassProtectionController } from './storage-protection/attributes-class-protection.ts';
import { claimProtectionController } from './storage-protection/claim-protection.ts';
import { volumeProtectionController } from './storage-protection/volume-protection.ts';
import { storageVersionMigrator } from './storage-version-migrator/controller.ts';
import { ttlAfterFinishedController } from './ttl-after-finished/controller.ts';

/** One controller, a state to start from, and what must come of it. */
interface Loop {
  readonly controller: Controller;
  readonly bystanders?: readonly Controller[];
  arrange(place: Place): Promise<void>;
  settle(place: Place): Promise<void>;
}

const dayMs = 24 * 3_600_000;

/** A controller for which time passes `factor` times as fast, and which believes that it is later than it is. */
function hurried(controller: Controller, factor: number, aheadMs: number = 0): Controller {
  const start = Date.now();
  const origin = performance.now();
  const hurry = (clock: Clock): Clock => ({
    now: () => start + (clock.now() - start) * factor + aheadMs,
    monotonic: () => origin + (clock.monotonic() - origin) * factor,
    after: (ms, run) => clock.after(ms / factor, run),
  });
  return { ...controller, start: (context) => controller.start({ ...context, clock: hurry(context.clock) }) };
}

async function gone<T extends KubeObject>({ client }: Place, type: ResourceType<T>, at: At): Promise<void> {
  const { namespace, name } = at;
  await eventually(client, type, (list) => list.length === 0, {
    ...(namespace !== undefined && { namespace }),
    ...(name !== undefined && { fieldSelector: `metadata.name=${name}` }),
  });
}

interface At {
  readonly namespace?: string;
  readonly name?: string;
}

async function becomes<T extends KubeObject>(
  { client }: Place,
  type: ResourceType<T>,
  { namespace, name }: At & { readonly name: string },
  check: (object: Live<T>) => boolean,
): Promise<void> {
  await eventually(client, type, ([one]) => one !== undefined && check(one), {
    ...(namespace !== undefined && { namespace }),
    fieldSelector: `metadata.name=${name}`,
  });
}

const text = (value: string): string => Buffer.from(value).toString('base64');

function pod(namespace: string, name: string, spec: Partial<Pod['spec']> = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name, labels: { app: 'web' } },
    spec: { containers: [{ name: 'c', image: 'i' }], ...spec },
  };
}

/** Pods need the account of their namespace. */
async function account({ client, namespace }: Place): Promise<void> {
  const metadata = { name: 'default', namespace };
  await client.for(serviceaccounts).create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata });
}

const x509 = (name: string): string =>
  readFileSync(new URL(`../machinery/x509/testdata/${name}`, import.meta.url), 'utf8');

const authority = { cert: x509('ca.crt'), key: x509('ca.key') };

async function request({ client, namespace }: Place): Promise<Live<CertificateSigningRequest>> {
  return await client.for(certificatesigningrequests).create({
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name: namespace },
    spec: {
      request: text(x509('node-client.csr')),
      signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
      usages: ['digital signature', 'client auth'],
    },
  });
}

async function decide(place: Place, type: string, at: number): Promise<void> {
  const { name, resourceVersion } = (await request(place)).metadata;
  const time = new Date(at).toISOString().replace(/\.\d+/, '');
  const condition = { type, status: 'True', reason: 'Test', message: '', lastUpdateTime: time };
  await place.client
    .for(certificatesigningrequests)
    .patch(
      { name },
      { metadata: { resourceVersion }, status: { conditions: [condition] } },
      { type: 'application/merge-patch+json', subresource: 'approval' },
    );
}

async function bootstrapToken(place: Place, more: Readonly<Record<string, string>> = {}): Promise<void> {
  const id = place.namespace.replaceAll(/[^a-z0-9]/g, '').padStart(6, '0');
  const texts = {
    'token-id': id,
    'token-secret': '0123456789abcdef',
    'usage-bootstrap-signing': 'true',
    ...more,
  };
  await place.client.for(secrets).create({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: `bootstrap-token-${id}`, namespace: 'kube-system', labels: { run: place.namespace } },
    type: 'bootstrap.kubernetes.io/token',
    data: Object.fromEntries(Object.entries(texts).map(([key, value]) => [key, text(value)])),
  });
}

const loops: Readonly<Record<string, Loop>> = {
  'a namespace is emptied and goes': {
    controller: namespaceController,
    async arrange({ client, namespace }) {
      for (const name of ['a', 'b'])
        await client
          .for(configmaps)
          .create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace } });
      await client.for(namespaces).delete({ name: namespace });
    },
    settle: (place) => gone(place, namespaces, { name: place.namespace }),
  },
  'what nobody owns any more is collected': {
    controller: hurried(garbageCollector, 50),
    async arrange({ client, namespace }) {
      const resource = client.for(configmaps);
      let owner: Live<KubeObject> | undefined;
      for (const name of ['a', 'b', 'c']) {
        const ownerReferences = owner && [
          { apiVersion: 'v1', kind: 'ConfigMap', name: owner.metadata.name, uid: owner.metadata.uid },
        ];
        owner = await resource.create({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name, namespace, ...(ownerReferences && { ownerReferences }) },
        });
      }
      await resource.delete({ namespace, name: 'a' }, { propagationPolicy: 'Background' });
    },
    settle: (place) => gone(place, configmaps, { namespace: place.namespace }),
  },
  'what is deleted in the foreground goes last': {
    controller: garbageCollector,
    async arrange({ client, namespace }) {
      const resource = client.for(configmaps);
      const metadata = { name: 'a', namespace };
      const { uid } = (await resource.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata })).metadata;
      for (const name of ['b', 'c'])
        await resource.create({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: {
            name,
            namespace,
            ownerReferences: [
              { apiVersion: 'v1', kind: 'ConfigMap', name: 'a', uid, blockOwnerDeletion: true },
            ],
          },
        });
      await resource.delete({ namespace, name: 'a' }, { propagationPolicy: 'Foreground' });
    },
    settle: (place) => gone(place, configmaps, { namespace: place.namespace }),
  },
  'a namespace has an account': {
    controller: serviceAccountController,
    arrange: () => Promise.resolve(),
    settle: (place) =>
      becomes(place, serviceaccounts, { namespace: place.namespace, name: 'default' }, () => true),
  },
  'a namespace has the root certificate': {
    controller: rootCaController('CA'),
    async arrange({ client, namespace }) {
      await client.for(configmaps).create({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'kube-root-ca.crt', namespace },
        data: { 'ca.crt': 'forged' },
      });
    },
    settle: (place) =>
      becomes(
        place,
        configmaps,
        { namespace: place.namespace, name: 'kube-root-ca.crt' },
        ({ data }) => data?.['ca.crt'] === 'CA',
      ),
  },
  'a finished job goes': {
    controller: ttlAfterFinishedController,
    bystanders: [garbageCollector],
    async arrange({ client, namespace }) {
      const job = await client.for(jobs).create({
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: { name: 'j', namespace },
        spec: {
          ttlSecondsAfterFinished: 0,
          template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } },
        },
      });
      const time = '2026-01-01T00:00:00Z';
      const conditions = ['SuccessCriteriaMet', 'Complete'].map((type) => ({
        type,
        status: 'True',
        lastTransitionTime: time,
      }));
      await client
        .for(jobs)
        .updateStatus({ ...job, status: { startTime: time, completionTime: time, conditions } });
    },
    settle: (place) => gone(place, jobs, { namespace: place.namespace }),
  },
  'the pods of a node that is gone go': {
    controller: hurried(podGarbageCollector, 400),
    async arrange(place) {
      await account(place);
      await place.client.for(pods).create(pod(place.namespace, 'a', { nodeName: 'no-such-node' }));
    },
    settle: (place) => gone(place, pods, { namespace: place.namespace }),
  },
  'a node that is not ready is tainted': {
    controller: nodeLifecycleController(defaultNodeLifecycleSettings),
    async arrange({ client, namespace: name }) {
      await client.for(nodes).deleteCollection({});
      for (const [node, status] of [
        [name, 'False'],
        [`${name}-well`, 'True'],
      ] as const)
        await client.for(nodes).create({
          apiVersion: 'v1',
          kind: 'Node',
          metadata: { name: node },
          spec: {},
          status: { conditions: [{ type: 'Ready', status }] },
        });
    },
    settle: (place) =>
      becomes(place, nodes, { name: place.namespace }, ({ spec }) => spec.taints?.length === 2),
  },
  'a node knows how long it may cache': {
    controller: nodeTtlController,
    async arrange({ client, namespace: name }) {
      await client.for(nodes).create({ apiVersion: 'v1', kind: 'Node', metadata: { name }, spec: {} });
    },
    settle: (place) =>
      becomes(
        place,
        nodes,
        { name: place.namespace },
        ({ metadata }) => metadata.annotations?.['node.alpha.kubernetes.io/ttl'] === '0',
      ),
  },
  'a service has endpoints': {
    controller: endpointsController,
    async arrange(place) {
      const { client, namespace } = place;
      await account(place);
      await client.for(services).create({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'web', namespace },
        spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
      });
      const made = await client.for(pods).create(pod(namespace, 'a', { nodeName: 'n' }));
      await client.for(pods).updateStatus({
        ...made,
        status: {
          phase: 'Running',
          podIP: '10.0.0.1',
          podIPs: [{ ip: '10.0.0.1' }],
          conditions: [{ type: 'Ready', status: 'True' }],
        },
      });
    },
    settle: (place) =>
      becomes(
        place,
        endpoints,
        { namespace: place.namespace, name: 'web' },
        ({ subsets }) => subsets?.[0]?.addresses?.[0]?.ip === '10.0.0.1',
      ),
  },
  'endpoints of a service without selector are mirrored': {
    controller: endpointSliceMirroringController,
    async arrange({ client, namespace }) {
      const metadata = { name: 'web', namespace };
      await client
        .for(services)
        .create({ apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ port: 80 }] } });
      await client.for(endpoints).create({
        apiVersion: 'v1',
        kind: 'Endpoints',
        metadata,
        subsets: [{ addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 80 }] }],
      });
    },
    async settle({ client, namespace }) {
      const [slice, ...more] = await eventually(
        client,
        endpointslices,
        ([one]) => one?.endpoints[0]?.addresses[0] === '10.0.0.1',
        { namespace },
      );
      expect([slice?.metadata.labels?.['kubernetes.io/service-name'], more]).toEqual(['web', []]);
    },
  },
  'a pod with an ephemeral volume has a claim': {
    controller: ephemeralVolumeController,
    async arrange(place) {
      await account(place);
      const volumeClaimTemplate = {
        spec: { accessModes: ['ReadWriteOnce'] as const, resources: { requests: { storage: '1Gi' } } },
      };
      await place.client
        .for(pods)
        .create(pod(place.namespace, 'a', { volumes: [{ name: 'v', ephemeral: { volumeClaimTemplate } }] }));
    },
    settle: (place) =>
      becomes(
        place,
        persistentvolumeclaims,
        { namespace: place.namespace, name: 'a-v' },
        ({ metadata }) => metadata.ownerReferences?.[0]?.name === 'a',
      ),
  },
  'a quota counts': {
    controller: resourceQuotaController,
    async arrange({ client, namespace }) {
      await client
        .for(configmaps)
        .create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace } });
      await client.for(resourcequotas).create({
        apiVersion: 'v1',
        kind: 'ResourceQuota',
        metadata: { name: 'q', namespace },
        spec: { hard: { configmaps: '5' } },
      });
    },
    settle: (place) =>
      becomes(
        place,
        resourcequotas,
        { namespace: place.namespace, name: 'q' },
        ({ status }) => status?.used?.['configmaps'] === '1',
      ),
  },
  'a role is put together': {
    controller: clusterRoleAggregationController,
    async arrange({ client, namespace }) {
      const labels = { run: namespace };
      await client.for(clusterroles).create({
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRole',
        metadata: { name: `${namespace}-part`, labels },
        rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }],
      });
      await client.for(clusterroles).create({
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRole',
        metadata: { name: namespace },
        aggregationRule: { clusterRoleSelectors: [{ matchLabels: labels }] },
        rules: [],
      });
    },
    settle: (place) =>
      becomes(place, clusterroles, { name: place.namespace }, ({ rules }) => rules?.length === 1),
  },
  'a kubelet’s request is approved': {
    controller: csrApprovingController,
    arrange: async (place) => void (await request(place)),
    settle: (place) =>
      becomes(
        place,
        certificatesigningrequests,
        { name: place.namespace },
        ({ status }) => status?.conditions?.length === 1 && status.conditions[0]?.type === 'Approved',
      ),
  },
  'an approved request gets its certificate': {
    controller: csrSigningController(authority),
    arrange: (place) => decide(place, 'Approved', Date.now()),
    settle: (place) =>
      becomes(place, certificatesigningrequests, { name: place.namespace }, ({ status }) =>
        Boolean(status?.certificate),
      ),
  },
  'an old request goes': {
    controller: hurried(csrCleanerController, 36_000),
    arrange: (place) => decide(place, 'Denied', Date.now() - dayMs),
    settle: (place) => gone(place, certificatesigningrequests, { name: place.namespace }),
  },
  'the cluster’s information is signed': {
    controller: bootstrapSignerController,
    async arrange(place) {
      const resource = place.client.for(configmaps);
      const at = { name: 'cluster-info', namespace: 'kube-public' };
      await place.client.for(secrets).deleteCollection({ namespace: 'kube-system' });
      await resource.deleteCollection({ namespace: 'kube-public' });
      await resource.create({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: at,
        data: { kubeconfig: 'text' },
      });
      await bootstrapToken(place);
    },
    settle: (place) =>
      becomes(
        place,
        configmaps,
        { name: 'cluster-info', namespace: 'kube-public' },
        ({ data }) => Object.keys(data ?? {}).filter((key) => key.startsWith('jws-kubeconfig-')).length === 1,
      ),
  },
  'a token that is over goes': {
    controller: tokenCleanerController,
    arrange: (place) => bootstrapToken(place, { expiration: '2026-01-01T00:00:00Z' }),
    settle: ({ client, namespace }) =>
      eventually(client, secrets, (list) => list.length === 0, { labelSelector: `run=${namespace}` }).then(
        () => {},
      ),
  },
  'an unused token of an account goes': {
    controller: hurried(legacyTokenCleaner, 864_000, 800 * dayMs),
    async arrange({ client, namespace }) {
      const tracking = {
        name: 'kube-apiserver-legacy-service-account-token-tracking',
        namespace: 'kube-system',
      };
      await client.for(configmaps).deleteCollection({ namespace: 'kube-system' });
      await client
        .for(configmaps)
        .create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: tracking, data: { since: '2024-01-01' } });
      await client.for(serviceaccounts).create({
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name: 'a', namespace },
        secrets: [{ name: 'old' }],
      });
      await client.for(secrets).create({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: {
          name: 'old',
          namespace,
          labels: { 'kubernetes.io/legacy-token-invalid-since': '2025-01-01' },
          annotations: { 'kubernetes.io/service-account.name': 'a' },
        },
        type: 'kubernetes.io/service-account-token',
      });
    },
    settle: (place) => gone(place, secrets, { namespace: place.namespace }),
  },
  'a token Secret is filled': {
    controller: serviceAccountTokenController({ ca: 'CA', sign: ({ secretName }) => secretName }),
    async arrange({ client, namespace }) {
      const metadata = { name: 'a', namespace };
      await client.for(serviceaccounts).create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata });
      await client.for(secrets).create({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 't', namespace, annotations: { 'kubernetes.io/service-account.name': 'a' } },
        type: 'kubernetes.io/service-account-token',
      });
    },
    settle: (place) =>
      becomes(
        place,
        secrets,
        { namespace: place.namespace, name: 't' },
        ({ data }) =>
          Object.keys(data ?? {})
            .sort()
            .join() === 'ca.crt,namespace,token',
      ),
  },
  'a policy is checked': {
    controller: validatingPolicyStatusController,
    async arrange({ client, namespace: name }) {
      await client.for(validatingadmissionpolicies).create({
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingAdmissionPolicy',
        metadata: { name },
        spec: {
          matchConstraints: {
            resourceRules: [
              { apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'], operations: ['CREATE'] },
            ],
          },
          validations: [{ expression: 'object.nothing == 1' }],
        },
      });
    },
    settle: (place) =>
      becomes(
        place,
        validatingadmissionpolicies,
        { name: place.namespace },
        ({ status }) => status?.typeChecking?.expressionWarnings?.length === 1,
      ),
  },
  'a range of service addresses is ready': {
    controller: serviceCidrController,
    async arrange({ client, namespace: name }) {
      const third = Number(/\d+/.exec(name)?.[0] ?? 0);
      await client.for(servicecidrs).create({
        apiVersion: 'networking.k8s.io/v1',
        kind: 'ServiceCIDR',
        metadata: { name },
        spec: { cidrs: [`10.200.${third}.0/24`] },
      });
    },
    settle: (place) =>
      becomes(
        place,
        servicecidrs,
        { name: place.namespace },
        ({ status, metadata }) =>
          status?.conditions?.[0]?.status === 'True' && metadata.finalizers?.length === 1,
      ),
  },
  'a service gets its balancer’s address': {
    controller: serviceLoadBalancerController({
      range: { network: 0x0a_c8_00_00, prefix: 16, size: 65_536 },
    }),
    async arrange({ client, namespace }) {
      await client.for(services).create({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'web', namespace },
        spec: { type: 'LoadBalancer', ports: [{ port: 80 }] },
      });
    },
    settle: (place) =>
      becomes(
        place,
        services,
        { namespace: place.namespace, name: 'web' },
        ({ status }) => status?.loadBalancer?.ingress?.length === 1,
      ),
  },
  'a claim that nobody uses any more goes': {
    controller: claimProtectionController,
    async arrange({ client, namespace }) {
      await client.for(persistentvolumeclaims).create({
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: 'c', namespace },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      });
      await client.for(persistentvolumeclaims).delete({ namespace, name: 'c' });
    },
    settle: (place) => gone(place, persistentvolumeclaims, { namespace: place.namespace }),
  },
  'a volume that nobody uses any more goes': {
    controller: volumeProtectionController,
    async arrange({ client, namespace: name }) {
      await client.for(persistentvolumes).create({
        apiVersion: 'v1',
        kind: 'PersistentVolume',
        metadata: { name },
        spec: { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, hostPath: { path: '/x' } },
      });
      await client.for(persistentvolumes).delete({ name });
    },
    settle: (place) => gone(place, persistentvolumes, { name: place.namespace }),
  },
  'a class of attributes that nobody uses goes': {
    controller: attributesClassProtectionController,
    async arrange({ client, namespace: name }) {
      await client.for(volumeattributesclasses).create({
        apiVersion: 'storage.k8s.io/v1',
        kind: 'VolumeAttributesClass',
        metadata: { name, finalizers: ['kubernetes.io/vac-protection'] },
        driverName: 'd',
        parameters: { a: 'b' },
      });
      await client.for(volumeattributesclasses).delete({ name });
    },
    settle: (place) => gone(place, volumeattributesclasses, { name: place.namespace }),
  },
  'objects are stored anew': {
    controller: storageVersionMigrator,
    async arrange({ client, namespace }) {
      await client
        .for(configmaps)
        .create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace } });
      await client.for(storageversionmigrations).create({
        apiVersion: 'storagemigration.k8s.io/v1beta1',
        kind: 'StorageVersionMigration',
        metadata: { name: namespace },
        spec: { resource: { group: '', resource: 'configmaps' } },
      });
    },
    settle: (place) =>
      becomes(
        place,
        storageversionmigrations,
        { name: place.namespace },
        ({ status }) => status?.conditions?.some(({ type }) => type === 'Succeeded') === true,
      ),
  },
  'the lease of a server that is gone goes': {
    controller: hurried(apiServerLeaseCollector, 36_000),
    async arrange({ client, namespace }) {
      await client.for(leases).create({
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: {
          name: namespace,
          namespace: 'kube-system',
          labels: { 'apiserver.kubernetes.io/identity': 'kube-apiserver' },
        },
        spec: { leaseDurationSeconds: 10, renewTime: '2026-01-01T00:00:00.000000Z' },
      });
    },
    settle: (place) => gone(place, leases, { namespace: 'kube-system', name: place.namespace }),
  },
};

let bench: FaultBench | undefined;
afterEach(async () => {
  await bench?.stop();
  bench = undefined;
});

it.each(Object.entries(loops))('%s, whatever call fails', { timeout: 120_000 }, async (_, loop) => {
  const { controller, bystanders = [], arrange, settle } = loop;
  bench = await startFaultBench({
    controllers: [controller],
    bystanders,
    resources: [storageVersionMigrations],
  });
  expect(await bench.playAll({ arrange, settle })).toBeGreaterThan(1);
  for (const seed of [1, 2, 3])
    await bench.play({ arrange, settle }, randomFaults(seed, { probability: 0.3, calls: 30 }));
  await bench.fight({ arrange, settle });
});
