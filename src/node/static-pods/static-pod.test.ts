import { describe, expect, it } from 'vitest';
import type { Node, Pod } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { mirrorOf, planMirror, staticPod } from './static-pod.ts';

const manifest: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', labels: { app: 'web' } },
  spec: { containers: [{ name: 'c', image: 'i' }] },
};
const on = { nodeName: 'N1', file: '/m/web.yaml', now: 0 };
const node: Live<Node> = {
  apiVersion: 'v1',
  kind: 'Node',
  spec: {},
  metadata: { name: 'N1', uid: 'node-uid', resourceVersion: '1', creationTimestamp: '' },
};

it('completes what a manifest says', () => {
  const pod = staticPod(manifest, on);
  expect(pod.metadata).toMatchObject({
    name: 'web-n1',
    namespace: 'default',
    annotations: {
      'kubernetes.io/config.hash': pod.metadata.uid,
      'kubernetes.io/config.seen': '1970-01-01T00:00:00Z',
      'kubernetes.io/config.source': 'file',
    },
  });
  expect(pod.spec).toMatchObject({
    nodeName: 'N1',
    restartPolicy: 'Always',
    tolerations: [{ operator: 'Exists', effect: 'NoExecute' }],
  });
});

it('is another pod when the manifest says something else', () => {
  const other = { ...manifest, spec: { containers: [{ name: 'c', image: 'j' }] } };
  expect(staticPod(manifest, on).metadata.uid).toBe(staticPod(manifest, { ...on, now: 5 }).metadata.uid);
  expect(staticPod(other, on).metadata.uid).not.toBe(staticPod(manifest, on).metadata.uid);
});

describe('what becomes of the mirror', () => {
  const pod = staticPod(manifest, on);
  const shown = mirrorOf(pod, node);
  const live = (more: Partial<Pod['metadata']> = {}): Live<Pod> => ({
    ...shown,
    metadata: {
      name: 'web-n1',
      uid: 'u',
      resourceVersion: '1',
      creationTimestamp: '',
      ...shown.metadata,
      ...more,
    },
  });
  it.each([
    ['nothing and nothing', undefined, undefined, 'none'],
    ['a pod that is not shown', pod, undefined, 'create'],
    ['a pod that is shown', pod, live(), 'none'],
    ['a pod that somebody deletes', pod, live({ deletionTimestamp: 'now' }), 'delete'],
    ['a pod that was another', pod, live({ annotations: { 'kubernetes.io/config.mirror': 'x' } }), 'delete'],
    ['a pod without a manifest', undefined, live(), 'delete'],
  ])('%s', (_name, of, mirror, plan) => {
    expect(planMirror(of, mirror)).toBe(plan);
  });
});
