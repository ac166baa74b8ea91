import { KWOK_GROUP, KWOK_VERSION, type Stage, type StageSpec } from './stage.ts';

const heartbeat = `{{ $now := Now }}
{{ $since := or .metadata.creationTimestamp $now }}
conditions:
{{ range NodeConditions }}
- type: {{ .type | Quote }}
  status: {{ .status | Quote }}
  reason: {{ .reason | Quote }}
  message: {{ .message | Quote }}
  lastHeartbeatTime: {{ $now | Quote }}
  lastTransitionTime: {{ $since | Quote }}
{{ end }}
addresses:
{{ with .status.addresses }}
{{ YAML . 1 }}
{{ else }}
{{ with NodeIP }}
- type: InternalIP
  address: {{ . | Quote }}
{{ end }}
{{ with NodeName }}
- type: Hostname
  address: {{ . | Quote }}
{{ end }}
{{ end }}
{{ with NodePort }}
daemonEndpoints:
  kubeletEndpoint:
    Port: {{ . }}
{{ end }}
`;

const amounts = `{{ with .status.NAME }}
{{ YAML . 1 }}
{{ else }}
  cpu: 1k
  memory: 1Ti
  pods: 1M
{{ end }}
`;

const nodeStatus = `${heartbeat}
allocatable:
${amounts.replace('NAME', 'allocatable')}
capacity:
${amounts.replace('NAME', 'capacity')}
{{ $info := or .status.nodeInfo dict }}
nodeInfo:
  architecture: {{ or $info.architecture "amd64" | Quote }}
  operatingSystem: {{ or $info.operatingSystem "linux" | Quote }}
  bootID: {{ or $info.bootID "" | Quote }}
  machineID: {{ or $info.machineID "" | Quote }}
  systemUUID: {{ or $info.systemUUID "" | Quote }}
  osImage: {{ or $info.osImage "" | Quote }}
  kernelVersion: {{ or $info.kernelVersion (printf "kwok-%s" Version) | Quote }}
  kubeletVersion: {{ or $info.kubeletVersion Version | Quote }}
  kubeProxyVersion: {{ or $info.kubeProxyVersion Version | Quote }}
  containerRuntimeVersion: {{ or $info.containerRuntimeVersion (printf "kwok-%s" Version) | Quote }}
phase: Running
`;

const podRunning = `{{ $now := Now }}
phase: Running
startTime: {{ $now | Quote }}
hostIP: {{ NodeIPWith .spec.nodeName | Quote }}
podIP: {{ PodIPWith .spec.nodeName (or .spec.hostNetwork false) (or .metadata.uid "") (or .metadata.name "") (or .metadata.namespace "") | Quote }}
conditions:
{{ range list "Initialized" "Ready" "ContainersReady" }}
- type: {{ . }}
  status: "True"
  lastTransitionTime: {{ $now | Quote }}
{{ end }}
{{ range .spec.readinessGates }}
- type: {{ .conditionType | Quote }}
  status: "True"
  lastTransitionTime: {{ $now | Quote }}
{{ end }}
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: ""
  ready: true
  started: true
  restartCount: 0
  state:
    running:
      startedAt: {{ $now | Quote }}
{{ end }}
{{ with .spec.initContainers }}
initContainerStatuses:
{{ range . }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: ""
  ready: true
  restartCount: 0
{{ if eq .restartPolicy "Always" }}
  started: true
  state:
    running:
      startedAt: {{ $now | Quote }}
{{ else }}
  state:
    terminated:
      exitCode: 0
      reason: Completed
      startedAt: {{ $now | Quote }}
      finishedAt: {{ $now | Quote }}
{{ end }}
{{ end }}
{{ end }}
`;

const podSucceeded = `{{ $now := Now }}
{{ $root := . }}
phase: Succeeded
conditions:
{{ range list "Ready" "ContainersReady" }}
- type: {{ . }}
  status: "False"
  reason: PodCompleted
  lastTransitionTime: {{ $now | Quote }}
{{ end }}
containerStatuses:
{{ range $index, $container := .spec.containers }}
{{ $before := index $root.status.containerStatuses $index }}
- name: {{ $container.name | Quote }}
  image: {{ $container.image | Quote }}
  imageID: ""
  ready: false
  started: false
  restartCount: 0
  state:
    terminated:
      exitCode: 0
      reason: Completed
      startedAt: {{ $before.state.running.startedAt | Quote }}
      finishedAt: {{ $now | Quote }}
{{ end }}
`;

const alive = { key: '.metadata.deletionTimestamp', operator: 'DoesNotExist' };
const ready = '.status.conditions.[] | select( .type == "Ready" ) | .status';

/**
 * What a simulated cluster does unless told otherwise, after KWOK's fast stages: nodes become ready at once and report
 * every ten minutes; pods run at once, those of Jobs end at once, and deleted ones are gone at once.
 */
export const defaultStages: readonly Stage[] = [
  stage('node-initialize', 'Node', {
    selector: { matchExpressions: [{ key: ready, operator: 'NotIn', values: ['True'] }] },
    next: { statusTemplate: nodeStatus },
  }),
  stage('node-heartbeat-with-lease', 'Node', {
    selector: {
      matchExpressions: [
        { key: '.status.phase', operator: 'In', values: ['Running'] },
        { key: ready, operator: 'In', values: ['True'] },
      ],
    },
    delay: { durationMilliseconds: 600_000, jitterDurationMilliseconds: 610_000 },
    next: { statusTemplate: heartbeat },
  }),
  stage('pod-ready', 'Pod', {
    selector: { matchExpressions: [alive, { key: '.status.podIP', operator: 'DoesNotExist' }] },
    next: { statusTemplate: podRunning },
  }),
  stage('pod-complete', 'Pod', {
    selector: {
      matchExpressions: [
        alive,
        { key: '.status.phase', operator: 'In', values: ['Running'] },
        { key: '.metadata.ownerReferences.[].kind', operator: 'In', values: ['Job'] },
      ],
    },
    next: { statusTemplate: podSucceeded },
  }),
  stage('pod-delete', 'Pod', {
    selector: { matchExpressions: [{ key: '.metadata.deletionTimestamp', operator: 'Exists' }] },
    next: { finalizers: { empty: true }, delete: true },
  }),
];

function stage(name: string, kind: string, spec: Omit<StageSpec, 'resourceRef'>): Stage {
  return {
    apiVersion: `${KWOK_GROUP}/${KWOK_VERSION}`,
    kind: 'Stage',
    metadata: { name },
    spec: { resourceRef: { apiGroup: 'v1', kind }, ...spec },
  };
}
