/** KWOK's `KwokctlResource` (config.kwok.x-k8s.io/v1alpha1): a template for many objects that differ in their number. */
export interface ResourceTemplate {
  readonly name: string;
  /** What the template sees as its data, unless changed. */
  readonly parameters: unknown;
  /** A Go template of YAML, with `Name`, `Namespace`, `Index`, `AddCIDR` and `AddIP`. */
  readonly template: string;
}

const container = `- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  {{ with .resources }}
  resources: {{ toJson . }}
  {{ end }}`;

/** The templates of `kanoe scale node` and `kanoe scale pod`; their parameters are those of KWOK's. */
export const builtinTemplates: readonly ResourceTemplate[] = [
  {
    name: 'node',
    parameters: {
      podCIDR: '100.64.0.0/24',
      allocatable: { cpu: 32, memory: '256Gi', pods: 110 },
      capacity: {},
      nodeInfo: { architecture: 'amd64', operatingSystem: 'linux' },
      labels: {},
      taints: [],
    },
    template: `apiVersion: v1
kind: Node
metadata:
  name: {{ Name }}
  annotations:
    kwok.x-k8s.io/node: fake
    node.alpha.kubernetes.io/ttl: "0"
  labels:
    type: kwok
    kubernetes.io/role: agent
    node-role.kubernetes.io/agent: ""
    kubernetes.io/hostname: {{ Name }}
    kubernetes.io/arch: {{ .nodeInfo.architecture }}
    kubernetes.io/os: {{ .nodeInfo.operatingSystem }}
    beta.kubernetes.io/arch: {{ .nodeInfo.architecture }}
    beta.kubernetes.io/os: {{ .nodeInfo.operatingSystem }}
    {{ range $key, $value := .labels }}
    {{ $key | Quote }}: {{ $value | Quote }}
    {{ end }}
spec:
  podCIDR: {{ AddCIDR .podCIDR Index }}
  podCIDRs:
  - {{ AddCIDR .podCIDR Index }}
  {{ with .taints }}
  taints: {{ toJson . }}
  {{ end }}
status:
  allocatable:
  {{ range $key, $value := .allocatable }}
    {{ $key | Quote }}: {{ $value | Quote }}
  {{ end }}
  capacity:
  {{ $capacity := .capacity }}
  {{ range $key, $value := .allocatable }}
    {{ $key | Quote }}: {{ or (index $capacity $key) $value | Quote }}
  {{ end }}
  nodeInfo:
  {{ range $key, $value := .nodeInfo }}
    {{ $key }}: {{ $value | Quote }}
  {{ end }}
`,
  },
  {
    name: 'pod',
    parameters: {
      initContainers: [],
      containers: [{ name: 'container-0', image: 'busybox' }],
      hostNetwork: false,
      nodeName: '',
      labels: {},
    },
    template: `apiVersion: v1
kind: Pod
metadata:
  name: {{ Name }}
  namespace: {{ or Namespace "default" }}
  {{ with .labels }}
  labels: {{ toJson . }}
  {{ end }}
spec:
  containers:
  {{ range .containers }}
  ${container.replaceAll('\n', '\n  ')}
  {{ end }}
  {{ with .initContainers }}
  initContainers:
  {{ range . }}
  ${container.replaceAll('\n', '\n  ')}
  {{ end }}
  {{ end }}
  hostNetwork: {{ .hostNetwork }}
  {{ with .nodeName }}
  nodeName: {{ . }}
  {{ end }}
  terminationGracePeriodSeconds: 1
`,
  },
];
