import { describe, expect, it } from 'vitest';
import type { DeepMutable } from '../../../machinery/object.ts';
import type { Container, Pod, PodSpec, PodStatus, ResourceRequirements } from '../v1.gen.ts';
import { defaultPod, defaultPodTemplate } from './pod-defaults.ts';
import { podQos } from './pod-qos.ts';

function podOf(spec: PodSpec): DeepMutable<Pod> {
  const pod: Pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec };
  return structuredClone(pod) as DeepMutable<Pod>;
}

function container(resources: ResourceRequirements = {}): Container {
  return { name: 'c', image: 'x:1', resources };
}

describe('defaultPod', () => {
  it.each<[string, PodStatus, PodStatus]>([
    ['takes the first of several addresses', { podIPs: [{ ip: '10.0.0.1' }] }, { podIP: '10.0.0.1' }],
    ['takes the one address', { podIP: '10.0.0.1' }, { podIPs: [{ ip: '10.0.0.1' }] }],
    [
      'believes the one address where they differ',
      { podIP: '10.0.0.2', podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }] },
      { podIPs: [{ ip: '10.0.0.2' }] },
    ],
    [
      'keeps both families',
      { podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }] },
      { podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }] },
    ],
  ])('%s', (_, status, expected) => {
    const pod = { ...podOf({ containers: [container()] }), status } as DeepMutable<Pod>;
    defaultPod(pod);
    expect(pod.status).toMatchObject(expected);
  });

  it('fills what upstream fills', () => {
    const pod = podOf({ containers: [{ name: 'c', image: 'x', ports: [{ containerPort: 80 }] }] });
    defaultPod(pod);
    expect(pod.spec).toEqual({
      containers: [
        {
          name: 'c',
          image: 'x',
          imagePullPolicy: 'Always',
          ports: [{ containerPort: 80, protocol: 'TCP' }],
          resources: {},
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
        },
      ],
      dnsPolicy: 'ClusterFirst',
      enableServiceLinks: true,
      restartPolicy: 'Always',
      schedulerName: 'default-scheduler',
      securityContext: {},
      terminationGracePeriodSeconds: 30,
    });
  });

  it('changes nothing the second time', () => {
    const pod = podOf({
      hostNetwork: true,
      containers: [{ ...container({ limits: { cpu: '1' } }), ports: [{ containerPort: 80 }] }],
    });
    defaultPod(pod);
    const once = structuredClone(pod);
    defaultPod(pod);
    expect(pod).toEqual(once);
    expect(pod.spec.containers[0]).toMatchObject({
      resources: { requests: { cpu: '1' } },
      ports: [{ hostPort: 80 }],
    });
  });

  it('sums what containers ask for into the pod-level requests', () => {
    const asking = container({ requests: { cpu: '200m' } });
    const pod = podOf({
      containers: [asking, { ...asking, name: 'd' }],
      resources: { limits: { cpu: '2', memory: '1Gi' } },
    });
    defaultPod(pod);
    expect(pod.spec.resources?.requests).toEqual({ cpu: '400m', memory: '1Gi' });
  });

  it('leaves requests and service links of a template to its pods', () => {
    const template = { spec: { containers: [container({ limits: { cpu: '1' } })] } };
    const copy = structuredClone(template) as Parameters<typeof defaultPodTemplate>[0];
    defaultPodTemplate(copy);
    expect(copy.spec.enableServiceLinks).toBeUndefined();
    expect(copy.spec.containers[0]?.resources).toEqual({ limits: { cpu: '1' } });
  });
});

describe('podQos', () => {
  const both = { cpu: '1', memory: '1Gi' };
  it.each<[string, ResourceRequirements, string]>([
    ['BestEffort', {}, 'nothing'],
    ['Burstable', { requests: { cpu: '1' } }, 'a request'],
    ['Burstable', { limits: both, requests: { cpu: '500m', memory: '1Gi' } }, 'less than its limits'],
    ['Guaranteed', { limits: both, requests: { cpu: '1000m', memory: '1Gi' } }, 'exactly its limits'],
  ])('is %s', (expected, resources) => {
    expect(podQos({ containers: [container(resources)] })).toBe(expected);
  });
});
