import { configmaps } from '../../api/core/v1.gen.ts';
import {
  clusterrolebindings,
  clusterroles,
  rolebindings,
  roles,
  type PolicyRule,
  type Subject,
} from '../../api/rbac/v1.gen.ts';
import type { Client, Draft, ResourceClient } from '../../client/client.ts';
import type { KubeObject } from '../../machinery/object.ts';
import { isStatus } from '../../machinery/status-error.ts';
import { toYaml } from '../../machinery/yaml/to-yaml.ts';
import { joiningGroup } from './bootstrap-token.ts';

export interface JoiningOptions {
  readonly clusterName: string;
  /** Where nodes elsewhere reach the API server. */
  readonly server: string;
  /** PEM. */
  readonly ca: string;
  readonly podCidr: string;
  readonly serviceCidr: string;
  /** The name server of pods. */
  readonly dnsAddress: string;
  readonly version: string;
}

const api = 'rbac.authorization.k8s.io';
const group = (name: string): Subject => ({ apiGroup: api, kind: 'Group', name });
const nodes = group('system:nodes');
const joining = group(joiningGroup);
const certificates = 'system:certificates.k8s.io:certificatesigningrequests';

/** What kubeadm binds, by its names, and what the network of a node elsewhere has to see. */
const bindings: readonly (readonly [name: string, role: string, subject: Subject])[] = [
  ['kubeadm:kubelet-bootstrap', 'system:node-bootstrapper', joining],
  ['kubeadm:node-autoapprove-bootstrap', `${certificates}:nodeclient`, joining],
  ['kubeadm:node-autoapprove-certificate-rotation', `${certificates}:selfnodeclient`, nodes],
  ['kubeadm:get-nodes', 'kubeadm:get-nodes', joining],
  ['kanoe:node-serving', 'kanoe:node-serving', nodes],
  ['kanoe:node-network', 'kanoe:node-network', nodes],
];

const read: PolicyRule['verbs'] = ['get', 'list', 'watch'];

const ownRoles: readonly (readonly [name: string, rules: readonly PolicyRule[]])[] = [
  ['kubeadm:get-nodes', [{ apiGroups: [''], resources: ['nodes'], verbs: ['get'] }]],
  [
    'kanoe:node-serving',
    [
      {
        apiGroups: ['certificates.k8s.io'],
        resources: ['certificatesigningrequests/selfnodeserver'],
        verbs: ['create'],
      },
    ],
  ],
  [
    'kanoe:node-network',
    [
      { apiGroups: [''], resources: ['nodes', 'services', 'pods', 'namespaces'], verbs: read },
      { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: read },
      { apiGroups: ['networking.k8s.io'], resources: ['networkpolicies'], verbs: read },
    ],
  ],
];

/**
 * Makes or updates what nodes elsewhere need to join: the signed description of the cluster in `kube-public`, the settings in
 * `kube-system`, and the rights to ask for certificates, all as kubeadm makes them.
 */
export async function prepareJoining(client: Client, options: JoiningOptions): Promise<void> {
  const { clusterName, server, ca, podCidr, serviceCidr, dnsAddress, version } = options;
  const kubeconfig = toYaml({
    apiVersion: 'v1',
    clusters: [
      { cluster: { 'certificate-authority-data': Buffer.from(ca).toString('base64'), server }, name: '' },
    ],
    contexts: null,
    'current-context': '',
    kind: 'Config',
    preferences: {},
    users: null,
  });
  const clusterConfiguration = toYaml({
    apiVersion: 'kubeadm.k8s.io/v1beta4',
    kind: 'ClusterConfiguration',
    clusterName,
    controlPlaneEndpoint: new URL(server).host,
    kubernetesVersion: version,
    networking: { dnsDomain: 'cluster.local', podSubnet: podCidr, serviceSubnet: serviceCidr },
  });
  const kubeletConfiguration = toYaml({
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    clusterDNS: [dnsAddress],
    clusterDomain: 'cluster.local',
    rotateCertificates: true,
    serverTLSBootstrap: true,
  });
  const maps = [
    ['kube-public', 'cluster-info', { kubeconfig }],
    ['kube-system', 'kubeadm-config', { ClusterConfiguration: clusterConfiguration }],
    ['kube-system', 'kubelet-config', { kubelet: kubeletConfiguration }],
  ] as const;
  for (const [namespace, name, data] of maps)
    await ensure(client.for(configmaps), {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace, name },
      data,
    });
  await ensureReaders(client, {
    namespace: 'kube-public',
    name: 'kubeadm:bootstrap-signer-clusterinfo',
    maps: ['cluster-info'],
    subjects: [{ apiGroup: api, kind: 'User', name: 'system:anonymous' }],
  });
  for (const [name, map] of [
    ['kubeadm:nodes-kubeadm-config', 'kubeadm-config'],
    ['kubeadm:kubelet-config', 'kubelet-config'],
  ] as const)
    await ensureReaders(client, {
      namespace: 'kube-system',
      name,
      maps: [map],
      subjects: [joining, nodes],
    });
  for (const [name, rules] of ownRoles)
    await ensure(client.for(clusterroles), {
      apiVersion: `${api}/v1`,
      kind: 'ClusterRole',
      metadata: { name },
      rules: [...rules],
    });
  for (const [name, role, subject] of bindings)
    await ensure(client.for(clusterrolebindings), {
      apiVersion: `${api}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name },
      roleRef: { apiGroup: api, kind: 'ClusterRole', name: role },
      subjects: [subject],
    });
}

interface Readers {
  readonly namespace: string;
  readonly name: string;
  readonly maps: readonly string[];
  readonly subjects: readonly Subject[];
}

async function ensureReaders(client: Client, { namespace, name, maps, subjects }: Readers): Promise<void> {
  await ensure(client.for(roles), {
    apiVersion: `${api}/v1`,
    kind: 'Role',
    metadata: { namespace, name },
    rules: [{ apiGroups: [''], resources: ['configmaps'], resourceNames: [...maps], verbs: ['get'] }],
  });
  await ensure(client.for(rolebindings), {
    apiVersion: `${api}/v1`,
    kind: 'RoleBinding',
    metadata: { namespace, name },
    roleRef: { apiGroup: api, kind: 'Role', name },
    subjects: [...subjects],
  });
}

/** Makes an object, or changes what is there to it. */
async function ensure<T extends KubeObject>(resource: ResourceClient<T>, wanted: Draft<T>): Promise<void> {
  const { name = '', namespace } = wanted.metadata;
  try {
    await resource.create(wanted);
  } catch (error) {
    if (!isStatus(error, 'AlreadyExists')) throw error;
    await resource.patch({ name, ...(namespace !== undefined && { namespace }) }, wanted, {
      type: 'application/merge-patch+json',
    });
  }
}
