import { describe, expect, it } from 'vitest';
import type { Deployment, ReplicaSet } from '../../api/apps/v1.gen.ts';
import type { Event, Node, Pod, Secret, Service } from '../../api/core/v1.gen.ts';
import type { EndpointSlice } from '../../api/discovery/v1.gen.ts';
import type { KubeObject } from '../../machinery/object.ts';
import { describeObject, type Surroundings } from './describe.ts';

const now = Date.parse('2026-01-01T12:00:00Z');
const created = '2026-01-01T11:00:00Z';

const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'web-1',
    namespace: 'shop',
    creationTimestamp: created,
    labels: { tier: 'front', app: 'web' },
    annotations: { note: 'two\nlines', 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: '1', controller: true }],
  },
  spec: {
    nodeName: 'node-1',
    serviceAccountName: 'default',
    initContainers: [{ name: 'prepare', image: 'busybox', command: ['sh', '-c', 'true'] }],
    containers: [
      {
        name: 'main',
        image: 'nginx',
        ports: [{ containerPort: 80 }, { containerPort: 53, protocol: 'UDP', hostPort: 5353 }],
        args: ['--verbose'],
        resources: { limits: { memory: '64Mi', cpu: '100m' } },
        readinessProbe: { httpGet: { path: '/healthz', port: 80 } },
        livenessProbe: { exec: { command: ['cat', '/ok'] }, periodSeconds: 5 },
        envFrom: [{ configMapRef: { name: 'settings' } }],
        env: [
          { name: 'A', value: '1' },
          { name: 'KEY', valueFrom: { secretKeyRef: { name: 'keys', key: 'a' } } },
          { name: 'IP', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'status.podIP' } } },
        ],
        volumeMounts: [{ name: 'data', mountPath: '/data' }],
      },
    ],
    volumes: [
      { name: 'data', emptyDir: {} },
      { name: 'settings', configMap: { name: 'settings' } },
    ],
    nodeSelector: { disk: 'ssd' },
    tolerations: [
      { key: 'a', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
      { key: 'b', value: 'c' },
    ],
  },
  status: {
    phase: 'Running',
    qosClass: 'Burstable',
    startTime: created,
    hostIP: '10.0.0.1',
    podIP: '10.244.0.2',
    podIPs: [{ ip: '10.244.0.2' }],
    conditions: [{ type: 'Ready', status: 'False' }],
    containerStatuses: [
      {
        name: 'main',
        image: 'nginx',
        imageID: 'sha256:1',
        containerID: 'native://2',
        ready: false,
        restartCount: 3,
        state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 40s' } },
        lastState: { terminated: { exitCode: 1, reason: 'Error', startedAt: created, finishedAt: created } },
      },
    ],
  },
};

const deployment: Deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {
    name: 'web',
    namespace: 'shop',
    creationTimestamp: created,
    annotations: { 'deployment.kubernetes.io/revision': '2' },
  },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'web' } },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: 0 } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'main', image: 'nginx' }] },
    },
  },
  status: {
    replicas: 3,
    updatedReplicas: 1,
    availableReplicas: 2,
    unavailableReplicas: 1,
    conditions: [{ type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable' }],
  },
};

function replicaSet(name: string, revision: string, replicas: number): ReplicaSet {
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name, annotations: { 'deployment.kubernetes.io/revision': revision } },
    spec: { replicas, selector: {} },
    status: { replicas },
  };
}

const service: Service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'shop' },
  spec: {
    type: 'NodePort',
    clusterIP: '10.96.0.7',
    clusterIPs: ['10.96.0.7'],
    ipFamilies: ['IPv4'],
    ipFamilyPolicy: 'SingleStack',
    selector: { app: 'web' },
    ports: [{ name: 'http', port: 80, targetPort: 'web', nodePort: 30_080 }],
    externalTrafficPolicy: 'Cluster',
  },
};

const slice: EndpointSlice = {
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: {},
  addressType: 'IPv4',
  ports: [{ name: 'http', port: 8080 }],
  endpoints: [5, 4, 3, 2].map((last) => ({
    addresses: [`10.244.0.${last}`],
    conditions: { ready: last !== 5 },
  })),
};

const node: Node = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {
    name: 'node-1',
    creationTimestamp: created,
    labels: { 'node-role.kubernetes.io/control-plane': '' },
  },
  spec: { podCIDR: '10.244.0.0/24', taints: [{ key: 'a', value: 'b', effect: 'NoSchedule' }] },
  status: {
    capacity: { memory: '8Gi', cpu: '2' },
    allocatable: { memory: '7Gi', cpu: '2' },
    addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
    conditions: [
      {
        type: 'Ready',
        status: 'True',
        lastHeartbeatTime: created,
        lastTransitionTime: created,
        reason: 'KubeletReady',
      },
    ],
  },
};

const secret: Secret = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'keys', namespace: 'shop' },
  type: 'Opaque',
  data: { password: 'aHVudGVyMg==' },
};

const custom: KubeObject & { readonly spec: object } = {
  apiVersion: 'example.com/v1',
  kind: 'Backup',
  metadata: { name: 'nightly', namespace: 'shop', uid: 'u', creationTimestamp: created },
  spec: { maxAge: 3, podIP: '1.2.3.4', steps: [{ runAfter: ['a', 'b'], name: 'x' }], 'key-with-dash': true },
};

const events: Event[] = [
  {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: {},
    involvedObject: {},
    type: 'Warning',
    reason: 'BackOff',
    message: 'Back-off restarting failed container',
    count: 4,
    firstTimestamp: '2026-01-01T11:50:00Z',
    lastTimestamp: '2026-01-01T11:59:30Z',
    source: { component: 'kubelet' },
    reportingComponent: 'kubelet',
    reportingInstance: 'node-1',
  },
  {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: {},
    involvedObject: {},
    type: 'Normal',
    reason: 'Scheduled',
    message: 'Assigned',
    eventTime: '2026-01-01T11:40:00.000000Z',
    reportingComponent: 'default-scheduler',
    reportingInstance: 'here',
  },
];

describe('an object in detail', () => {
  it.each<[string, KubeObject, Partial<Surroundings>]>([
    ['pod', pod, { events }],
    ['deployment', deployment, { replicaSets: [replicaSet('web-1', '1', 2), replicaSet('web-2', '2', 1)] }],
    ['service', service, { endpointSlices: [slice] }],
    ['node', node, { pods: [pod] }],
    ['secret', secret, { events }],
    ['custom', custom, { events }],
  ])('%s', async (name, object, around) => {
    const text = describeObject(object, { events: [], now, ...around });
    await expect(text).toMatchFileSnapshot(`testdata/${name}.golden`);
  });

  it('does not show what a secret holds', () => {
    const text = describeObject(secret, { events, now });
    expect(text).not.toMatch(/hunter2|aHVudGVyMg/);
    expect(text).toContain('password:  7 bytes');
  });
});
