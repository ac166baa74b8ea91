import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../../base/fake-clock.ts';
import { defaultStages } from '../kwok/default-stages.ts';
import type { Stage, StageNext, StageStep } from '../kwok/stage.ts';
import { stageFunctions } from './stage-functions.ts';
import { createStageRenderer } from './stage-renderer.ts';
import { finalizersPatch, patchBody, stageActions } from './stage-steps.ts';

const clock = new FakeClock(Date.UTC(2026, 0, 1));
const now = '2026-01-01T00:00:00.000Z';
const renderer = createStageRenderer(
  stageFunctions({
    clock,
    version: 'v1',
    nodePort: () => 10_250,
    nodeName: () => 'n',
    nodeIP: (name = 'n') => `ip-of-${name}`,
    podIP: () => '10.0.0.2',
  }),
);

function stage(next: StageNext, kind = 'Pod'): Stage {
  return { apiVersion: '', kind: 'Stage', metadata: { name: 's' }, spec: { resourceRef: { kind }, next } };
}

function statusOf(name: string, object: object): unknown {
  const found = defaultStages.find(({ metadata }) => metadata.name === name);
  if (!found) throw new Error(name);
  const [action] = stageActions(found);
  if (action?.type !== 'patch') throw new Error('no patch');
  return renderer.toJson(action.template, object);
}

describe('actions', () => {
  it('come in order, and nothing but events after a deletion', () => {
    const actions = stageActions(
      stage({
        event: { reason: 'A' },
        finalizers: { empty: true },
        delete: true,
        statusTemplate: 'phase: x',
        steps: [{ event: { reason: 'B' } }, { patch: { template: 'a: 1' } }],
      }),
    );
    expect(actions.map(({ type }) => type)).toEqual(['event', 'finalizers', 'delete', 'event']);
  });

  it('of steps may be about other objects', () => {
    const steps = [{ apply: { template: 'kind: X' } }, { apply: { type: 'apply', subresource: 'status' } }];
    const { spec, ...rest } = stage({});
    const actions = stageActions({ ...rest, spec: { ...spec, steps: steps as StageStep[] } });
    expect(actions).toEqual([
      {
        type: 'apply',
        patchType: 'application/merge-patch+json',
        subresource: undefined,
        template: 'kind: X',
      },
      { type: 'apply', patchType: 'application/apply-patch+yaml', subresource: 'status', template: '' },
    ]);
  });

  it('patch statuses of pods strategically, others by merging', () => {
    const typeOf = (kind: string): unknown =>
      stageActions(stage({ statusTemplate: 'a: 1' }, kind)).map(
        (action) => action.type === 'patch' && action.patchType,
      );
    expect(typeOf('Pod')).toEqual(['application/strategic-merge-patch+json']);
    expect(typeOf('Service')).toEqual(['application/merge-patch+json']);
  });

  it.each<[string, unknown, unknown]>([
    ['merge', { a: 1 }, { data: { a: 1 } }],
    ['json', [{ op: 'add', path: '/a', value: 1 }], [{ op: 'add', path: '/data/a', value: 1 }]],
  ])('put a %s patch under its root', (type, rendered, expected) => {
    const [action] = stageActions(
      stage({ patches: [{ root: 'data', type: type === 'json' ? 'json' : 'merge', template: '' }] }),
    );
    if (action?.type !== 'patch') throw new Error('no patch');
    expect(patchBody(action, rendered)).toEqual(expected);
  });

  it.each([
    [['a'], { add: [{ value: 'b' }] }, [{ op: 'add', path: '/metadata/finalizers', value: ['a', 'b'] }]],
    [['a'], { add: [{ value: 'a' }] }, undefined],
    [['a', 'b'], { remove: [{ value: 'a' }] }, [{ op: 'add', path: '/metadata/finalizers', value: ['b'] }]],
    [['a'], { empty: true }, [{ op: 'remove', path: '/metadata/finalizers' }]],
    [undefined, { empty: true }, undefined],
  ])('change the finalizers %j by %j', (current, change, expected) => {
    expect(finalizersPatch(current, change)).toEqual(expected);
  });
});

describe('the first stages', () => {
  it('make a pod run', () => {
    const container = { image: 'i', imageID: '', ready: true, restartCount: 0 };
    const running = { running: { startedAt: now } };
    const condition = { status: 'True', lastTransitionTime: now };
    expect(
      statusOf('pod-ready', {
        metadata: { name: 'p' },
        spec: {
          nodeName: 'node',
          containers: [{ name: 'c', image: 'i' }],
          initContainers: [
            { name: 'a', image: 'i' },
            { name: 'b', image: 'i', restartPolicy: 'Always' },
          ],
          readinessGates: [{ conditionType: 'x/y' }],
        },
      }),
    ).toEqual({
      phase: 'Running',
      startTime: now,
      hostIP: 'ip-of-node',
      podIP: '10.0.0.2',
      conditions: [
        { type: 'Initialized', ...condition },
        { type: 'Ready', ...condition },
        { type: 'ContainersReady', ...condition },
        { type: 'x/y', ...condition },
      ],
      containerStatuses: [{ name: 'c', ...container, started: true, state: running }],
      initContainerStatuses: [
        {
          name: 'a',
          ...container,
          state: { terminated: { exitCode: 0, reason: 'Completed', startedAt: now, finishedAt: now } },
        },
        { name: 'b', ...container, started: true, state: running },
      ],
    });
  });

  it('make a node ready and keep what it offers', () => {
    expect(
      statusOf('node-initialize', {
        metadata: { name: 'n', creationTimestamp: now },
        status: { allocatable: { cpu: '4' }, nodeInfo: { architecture: 'arm64' } },
      }),
    ).toMatchObject({
      phase: 'Running',
      allocatable: { cpu: '4' },
      capacity: { cpu: '1k', memory: '1Ti', pods: '1M' },
      addresses: [
        { type: 'InternalIP', address: 'ip-of-n' },
        { type: 'Hostname', address: 'n' },
      ],
      daemonEndpoints: { kubeletEndpoint: { Port: 10_250 } },
      nodeInfo: { architecture: 'arm64', operatingSystem: 'linux', kubeletVersion: 'v1' },
    });
  });
});
