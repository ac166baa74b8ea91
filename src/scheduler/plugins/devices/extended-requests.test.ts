import { describe, expect, it } from 'vitest';
import type { Container, PodSpec } from '../../../api/core/v1.gen.ts';
import type { DeviceClass } from '../../../api/resource/v1.gen.ts';
import type { Live } from '../../../machinery/object.ts';
import { pod } from '../testdata/objects.ts';
import { classesByResource } from './extended-classes.ts';
import { extendedRequests } from './extended-requests.ts';

const gpu = 'example.com/gpu';

const deviceClass = (name: string, created: string, extendedResourceName?: string): Live<DeviceClass> => ({
  apiVersion: 'resource.k8s.io/v1',
  kind: 'DeviceClass',
  metadata: { name, uid: name, resourceVersion: '1', creationTimestamp: `2026-01-0${created}T00:00:00Z` },
  spec: { ...(extendedResourceName !== undefined && { extendedResourceName }) },
});

const container = (name: string, gpus: number, more: Partial<Container> = {}): Container => ({
  name,
  image: 'app',
  resources: { requests: { cpu: '1', ...(gpus > 0 && { [gpu]: String(gpus) }) } },
  ...more,
});
const sidecar = (name: string, gpus: number): Container => container(name, gpus, { restartPolicy: 'Always' });

/** `request×count` and `container→request`. */
function printed(spec: Partial<PodSpec>): string {
  const { requests, mappings } = extendedRequests(
    pod('p', spec),
    new Map([[gpu, deviceClass('gpu', '1', gpu)]]),
  );
  const asked = requests.map(({ name, exactly }) => `${name}×${exactly?.count ?? 0}`);
  const served = mappings.map(({ containerName, requestName }) => `${containerName}→${requestName}`);
  return [...asked, ...served].join(' ').replaceAll('container-', 'c').replaceAll('-request-', 'r');
}

describe('extendedRequests', () => {
  it.each<[string, Partial<PodSpec>, string]>([
    [
      'asks for each container that runs',
      { containers: [container('a', 1), container('b', 0), container('c', 2)] },
      'c0r1×1 c2r1×2 a→c0r1 c→c2r1',
    ],
    [
      'lets an init container use what comes later',
      { initContainers: [container('i', 2)], containers: [container('a', 1), container('b', 1)] },
      'c1r1×1 c2r1×1 a→c1r1 b→c2r1 i→c1r1 i→c2r1',
    ],
    [
      'asks for what an init container needs beyond that, for the largest once',
      { initContainers: [container('i', 2), container('j', 4)], containers: [container('a', 1)] },
      'c1r1×3 c2r1×1 a→c2r1 i→c2r1 j→c2r1 i→c1r1 j→c1r1',
    ],
    [
      'counts a sidecar among those that run',
      { initContainers: [sidecar('s', 1), container('i', 1)], containers: [container('a', 0)] },
      'c0r1×1 c1r1×1 s→c0r1 i→c1r1',
    ],
  ])('%s', (_name, spec, expected) => {
    expect(printed(spec)).toBe(expected);
  });
});

describe('classesByResource', () => {
  it('prefers the youngest class, then the first by name', () => {
    const found = classesByResource([
      deviceClass('old', '1', gpu),
      deviceClass('b', '2', gpu),
      deviceClass('a', '2', gpu),
    ]);
    expect([...found].map(([resource, { metadata }]) => `${resource}=${metadata.name ?? ''}`)).toEqual([
      'deviceclass.resource.kubernetes.io/old=old',
      'example.com/gpu=a',
      'deviceclass.resource.kubernetes.io/b=b',
      'deviceclass.resource.kubernetes.io/a=a',
    ]);
  });
});
