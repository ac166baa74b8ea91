import { describe, expect, it } from 'vitest';
import { mutableCopy } from '../../../machinery/mutable-copy.ts';
import type { Pod, PodSpec } from '../v1.gen.ts';
import { defaultPod } from './pod-defaults.ts';
import { validatePodSpec } from './validate-pod-spec.ts';

type Changes = { readonly [K in keyof PodSpec]?: unknown };

function errorsOf(container: object, changes: Changes = {}): string[] {
  const spec = { containers: [{ name: 'c', image: 'x', ...container }], ...changes } as PodSpec;
  const pod: Pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec };
  const copy = mutableCopy(pod);
  defaultPod(copy);
  const found = validatePodSpec(copy.spec, 'spec', { of: 'pod', podName: 'p' });
  return found.map(({ field, message }) => `${field}: ${message}`);
}

const c = 'spec.containers[0]';
const claim = [{ name: 'v', persistentVolumeClaim: { claimName: 'x' } }];

describe('validatePodSpec of a container', () => {
  it.each<[string, object, string[]]>([
    ['that is fine', {}, []],
    ['with a dotted name', { name: 'a.b' }, [`${c}.name: Invalid value: "a.b": must not contain dots`]],
    ['without an image', { image: '' }, [`${c}.image: Required value`]],
    [
      'with a port out of range',
      { ports: [{ containerPort: -1 }] },
      [`${c}.ports[0].containerPort: Invalid value: -1: must be between 1 and 65535, inclusive`],
    ],
    [
      'that takes a host port twice',
      {
        ports: [
          { containerPort: 80, hostPort: 80 },
          { containerPort: 81, hostPort: 80 },
        ],
      },
      [`${c}.ports[1].hostPort: Duplicate value: "TCP//80"`],
    ],
    [
      'with two handlers in a probe',
      { readinessProbe: { exec: { command: ['x'] }, tcpSocket: { port: 80 } } },
      [`${c}.readinessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type`],
    ],
    [
      'that mounts nothing known',
      { volumeMounts: [{ name: 'v', mountPath: '/v' }] },
      [`${c}.volumeMounts[0].name: Not found: "v"`],
    ],
    [
      'that asks for more than its limit',
      { resources: { limits: { cpu: '1' }, requests: { cpu: '1500m' } } },
      [`${c}.resources.requests: Invalid value: "1500m": must be less than or equal to cpu limit of 1`],
    ],
    [
      'that asks for part of a device',
      { resources: { limits: { 'example.com/x': '1.5' } } },
      [
        `${c}.resources.limits[example.com/x]: Invalid value: "1.5": must be an integer`,
        `${c}.resources.requests[example.com/x]: Invalid value: "1.5": must be an integer`,
      ],
    ],
    [
      'with an unknown field of the pod in its environment',
      { env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.color' } } }] },
      [
        `${c}.env[0].valueFrom.fieldRef.fieldPath: Invalid value: "metadata.color": error converting fieldPath: field label not supported: metadata.color`,
      ],
    ],
    [
      'with restart rules but no policy',
      { restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [1] } }] },
      [`${c}.restartPolicy: Required value: must specify restartPolicy when restart rules are used`],
    ],
  ])('%s', (_name, container, expected) => {
    expect(errorsOf(container)).toEqual(expected);
  });
});

describe('validatePodSpec of a pod', () => {
  it.each<[string, Changes, string[]]>([
    ['without containers', { containers: [] }, ['spec.containers: Required value']],
    [
      'with an unknown restart policy',
      { restartPolicy: 'Sometimes' },
      [
        'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
      ],
    ],
    [
      'with a volume of two kinds',
      { volumes: [{ name: 'v', emptyDir: {}, configMap: { name: 'c' } }] },
      ['spec.volumes[0].configMap: Forbidden: may not specify more than 1 volume type'],
    ],
    [
      'with two volumes of one name',
      { volumes: [...claim, ...claim] },
      ['spec.volumes[1].name: Duplicate value: "v"'],
    ],
    [
      'with an init container that has a probe',
      { initContainers: [{ name: 'i', image: 'x', livenessProbe: { exec: { command: ['x'] } } }] },
      [
        'spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
      ],
    ],
    [
      'that lets only Exists have no key',
      { tolerations: [{ operator: 'Equal', value: 'b' }] },
      [
        'spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"',
      ],
    ],
    [
      'that spreads twice the same way',
      {
        topologySpreadConstraints: [
          { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' },
          { maxSkew: 2, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' },
        ],
      },
      [
        'spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}: Duplicate value: "{zone, DoNotSchedule}"',
      ],
    ],
    [
      'with its own name service and no server',
      { dnsPolicy: 'None' },
      ['spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None'],
    ],
    [
      'for Windows with a Linux setting',
      { os: { name: 'windows' }, securityContext: { fsGroup: 1 } },
      ['spec.securityContext.fsGroup: Forbidden: cannot be set for a windows pod'],
    ],
  ])('%s', (_name, spec, expected) => {
    expect(errorsOf({}, spec)).toEqual(expected);
  });
});
