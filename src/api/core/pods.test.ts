import { describe, expect, it } from 'vitest';
import { mutableCopy } from '../../machinery/mutable-copy.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import type { StrategyContext } from '../resource.ts';
import { bindPod } from './pod-binding.ts';
import { logTarget, portForwardTarget, streamTarget } from './pod-connections.ts';
import { validatePodUpdate } from './pod-validation.ts';
import { defaultPod } from './pod-spec/pod-defaults.ts';
import { pods } from './pods.ts';
import type { Pod, PodSpec } from './v1.gen.ts';

const context: StrategyContext = {
  user: { name: 'admin', groups: [] },
  now: Date.parse('2024-01-02T03:04:05Z'),
  dryRun: false,
  server: {
    request: () => Promise.reject(new Error('not asked in this test')),
    watch: () => {
      throw new Error('not asked in this test');
    },
    raw: () => Promise.reject(new Error('not asked in this test')),
    close: () => Promise.resolve(),
  },
};

function pod(spec: Partial<PodSpec> = {}): DeepMutable<Pod> {
  const made: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'ns', uid: 'u' },
    spec: { containers: [{ name: 'a', image: 'x:1' }], ...spec },
  };
  const copy = mutableCopy(made);
  defaultPod(copy);
  return copy;
}

const two = { containers: [{ name: 'a' }, { name: 'b' }], nodeName: 'n' };

describe('connections to a pod', () => {
  it('name the kubelet’s paths and parameters', () => {
    const query = new URLSearchParams('command=sh&command=-c&stdin=true&stdout=1&tty=false');
    const exec = streamTarget('exec', pod({ nodeName: 'n' }), query);
    expect([exec.nodeName, exec.path, exec.query.toString()]).toEqual([
      'n',
      '/exec/ns/p/a',
      'input=1&output=1&command=sh&command=-c',
    ]);
    const log = logTarget(pod(two), new URLSearchParams('container=b&follow=true&tailLines=5'));
    expect([log.path, log.query.toString()]).toEqual(['/containerLogs/ns/p/b', 'follow=true&tailLines=5']);
    expect(portForwardTarget(pod({ nodeName: 'n' }), new URLSearchParams('ports=80')).path).toBe(
      '/portForward/ns/p',
    );
  });

  it.each<[string, () => unknown, string]>([
    [
      'an unnamed container of two',
      () => logTarget(pod(two), new URLSearchParams()),
      'a container name must be specified for pod p, choose one of: [a b]',
    ],
    [
      'an unknown container',
      () => logTarget(pod(two), new URLSearchParams('container=z')),
      'container z is not valid for pod p',
    ],
    [
      'a pod without a node',
      () => streamTarget('attach', pod(), new URLSearchParams()),
      'pod p does not have a host assigned',
    ],
    [
      'a negative number of lines',
      () => logTarget(pod(two), new URLSearchParams('container=a&tailLines=-1')),
      'PodLogOptions "p" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0',
    ],
  ])('refuse %s', (_name, connect, message) => {
    expect(connect).toThrow(message);
  });
});

describe('bindPod', () => {
  const binding = (target: object): Parameters<typeof bindPod>[1] =>
    ({ apiVersion: 'v1', kind: 'Binding', metadata: { name: 'p' }, target }) as Parameters<typeof bindPod>[1];

  it('assigns the node and says so', () => {
    const bound = pod();
    bindPod(bound, binding({ kind: 'Node', name: 'n' }), context);
    expect(bound.spec.nodeName).toBe('n');
    expect(bound.status?.conditions).toEqual([
      { type: 'PodScheduled', status: 'True', lastTransitionTime: '2024-01-02T03:04:05Z' },
    ]);
  });

  it.each<[string, Partial<PodSpec>, object, string]>([
    [
      'a second node',
      { nodeName: 'm' },
      { kind: 'Node', name: 'n' },
      'Operation cannot be fulfilled on pods/binding "p": pod p is already assigned to node "m"',
    ],
    [
      'a gated pod',
      { schedulingGates: [{ name: 'g' }] },
      { kind: 'Node', name: 'n' },
      'Operation cannot be fulfilled on pods/binding "p": pod p has non-empty .spec.schedulingGates',
    ],
    ['no node', {}, { kind: 'Node' }, 'target.name: Required value'],
  ])('refuses %s', (_name, spec, target, message) => {
    expect(() => bindPod(pod(spec), binding(target), context)).toThrow(message);
  });
});

describe('the grace period of a pod', () => {
  it.each<[string, Partial<PodSpec>, number | undefined, number]>([
    ['is its own', { nodeName: 'n', terminationGracePeriodSeconds: 7 }, undefined, 7],
    ['is the one asked for', { nodeName: 'n' }, 3, 3],
    ['is none without a node', {}, 30, 0],
  ])('%s', (_name, spec, requested, seconds) => {
    expect(pods.gracefulDelete?.(pod(spec), requested, context)).toBe(seconds);
  });

  it('is none when the pod has ended', () => {
    const ended = pod({ nodeName: 'n' });
    ended.status = { phase: 'Succeeded' };
    expect(pods.gracefulDelete?.(ended, undefined, context)).toBe(0);
  });
});

describe('validatePodUpdate', () => {
  it('allows other images, new tolerations and fewer gates', () => {
    const old = pod({ schedulingGates: [{ name: 'g' }] });
    const next = mutableCopy<Pod>(old);
    delete next.spec.schedulingGates;
    next.spec.tolerations = [{ key: 'a', operator: 'Exists' }];
    next.spec.containers = next.spec.containers.map((one) => ({ ...one, image: 'y:2' }));
    expect(validatePodUpdate(next, old)).toEqual([]);
  });

  it('refuses everything else with a diff', () => {
    const old = pod();
    const [error] = validatePodUpdate({ ...old, spec: { ...old.spec, restartPolicy: 'Never' } }, old);
    expect(error?.field).toBe('spec');
    expect(error?.message).toMatch(
      /^Forbidden: pod updates may not change fields other than `spec.containers/,
    );
    expect(error?.message).toMatch(/-.*"Always"[^]*\+.*"Never"/);
  });

  it('never adds containers', () => {
    const old = pod();
    const next = mutableCopy<Pod>(old);
    next.spec.containers = [...next.spec.containers, { ...next.spec.containers[0], name: 'z' }];
    expect(validatePodUpdate(next, old)).toContainEqual({
      field: 'spec.containers',
      reason: 'FieldValueForbidden',
      message: 'Forbidden: pod updates may not add or remove containers',
    });
  });
});

describe('stop signals', () => {
  const stopping = (signal: string, os?: 'linux' | 'windows'): DeepMutable<Pod> =>
    pod({
      ...(os && { os: { name: os } }),
      containers: [{ name: 'a', image: 'x:1', lifecycle: { stopSignal: signal as 'SIGUSR1' } }],
    });

  it('are dropped, but where their feature gate is on', () => {
    const dropped = stopping('SIGUSR1', 'linux');
    pods.prepareForCreate?.(dropped, context);
    expect(dropped.spec.containers[0]?.lifecycle).toBeUndefined();
    const kept = stopping('SIGUSR1', 'linux');
    pods.prepareForCreate?.(kept, { ...context, features: new Set(['ContainerStopSignals'] as const) });
    expect(kept.spec.containers[0]?.lifecycle).toEqual({ stopSignal: 'SIGUSR1' });
  });

  it.each([
    { signal: 'SIGUSR1', os: 'linux', errors: 0 },
    { signal: 'SIGRTMIN+15', os: 'linux', errors: 0 },
    { signal: 'SIGTERM', os: 'windows', errors: 0 },
    { signal: 'SIGUSR1', os: 'windows', errors: 1 },
    { signal: 'SIGNONE', os: 'linux', errors: 1 },
    { signal: 'SIGTERM', os: undefined, errors: 1 },
  ] as const)('$signal of $os has $errors errors', ({ signal, os, errors }) => {
    const found = (pods.validate?.(stopping(signal, os)) ?? []).map((error) => JSON.stringify(error));
    expect(found.filter((text) => text.includes('stopSignal'))).toHaveLength(errors);
  });
});

describe('AppArmor annotations', () => {
  const key = 'container.apparmor.security.beta.kubernetes.io/a';
  const profileOf = (annotation: string, spec: Partial<PodSpec> = {}): unknown => {
    const made = pod(spec);
    made.metadata.annotations = { [key]: annotation };
    pods.prepareForCreate?.(made, context);
    return made.spec.containers[0]?.securityContext?.appArmorProfile;
  };

  it('become profiles of the containers that they name', () => {
    expect(profileOf('localhost/x')).toEqual({ type: 'Localhost', localhostProfile: 'x' });
    expect(profileOf('runtime/default')).toEqual({ type: 'RuntimeDefault' });
    expect(profileOf('unconfined')).toEqual({ type: 'Unconfined' });
    expect(profileOf('nonsense')).toBeUndefined();
  });

  it('do not when the container, or the pod, says so anyway', () => {
    const appArmorProfile = { type: 'RuntimeDefault' } as const;
    expect(profileOf('runtime/default', { securityContext: { appArmorProfile } })).toBeUndefined();
    const containers = [{ name: 'a', image: 'x:1', securityContext: { appArmorProfile } }];
    expect(profileOf('unconfined', { containers })).toEqual(appArmorProfile);
  });
});
