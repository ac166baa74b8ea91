import { describe, expect, it } from 'vitest';
import type { Node, Pod } from '../../api/core/v1.gen.ts';
import type { VolumeAttachment } from '../../api/storage/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { attachmentName, type CsiVolume } from '../../api/storage/csi-volume.ts';
import { needsVolumes, planNode, type NodeObservation } from './plan.ts';

const volume = (name: string, exclusive = false): CsiVolume => ({
  name,
  driver: 'd',
  handle: `h-${name}`,
  exclusive,
});
const v = volume('v');
const w = volume('w');

function attachment(of: CsiVolume, attached: boolean, deleting?: true): NodeObservation['attached'][number] {
  const name = attachmentName(of, 'n');
  const held: Live<VolumeAttachment> = {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'VolumeAttachment',
    metadata: {
      name,
      uid: name,
      resourceVersion: '1',
      creationTimestamp: '',
      ...(deleting && { deletionTimestamp: 'now' }),
    },
    spec: { attacher: 'd', nodeName: 'n', source: { persistentVolumeName: of.name } },
    status: { attached },
  };
  return { attachment: held, volume: of };
}

function node(ready: string, inUse: readonly CsiVolume[] = [], taint?: string): Live<Node> {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'n', uid: 'n', resourceVersion: '1', creationTimestamp: '' },
    spec: taint === undefined ? {} : { taints: [{ key: taint, effect: 'NoExecute' }] },
    status: {
      conditions: [{ type: 'Ready', status: ready }],
      volumesInUse: inUse.map(({ driver, handle }) => `kubernetes.io/csi/${driver}^${handle}`),
    },
  };
}

describe('planNode', () => {
  const up = node('True');
  it.each<[string, Partial<NodeObservation>, string]>([
    ['attaches what pods use', { wanted: [v, w] }, 'create v,w'],
    ['attaches once', { wanted: [v], attached: [attachment(v, false)] }, ''],
    [
      'tells the node what is attached',
      { wanted: [v, w], attached: [attachment(v, true), attachment(w, false)] },
      'list h-v',
    ],
    ['detaches what nobody uses', { attached: [attachment(v, true)] }, 'remove v'],
    [
      'waits until the node has unmounted it',
      { node: node('True', [v]), attached: [attachment(v, true)] },
      'list h-v',
    ],
    [
      'waits for a node that is away',
      { node: node('Unknown', [v]), attached: [attachment(v, true)] },
      'list h-v, recheck 350000',
    ],
    [
      'but not for ever',
      { node: node('Unknown', [v]), attached: [attachment(v, true)], unusedMs: () => 360_000 },
      'remove v',
    ],
    [
      'nor for one out of service',
      { node: node('Unknown', [v], 'node.kubernetes.io/out-of-service'), attached: [attachment(v, true)] },
      'remove v',
    ],
    [
      'waits for a node that is gone',
      { node: undefined, wanted: [w], attached: [attachment(v, true)] },
      'list h-v, recheck 350000',
    ],
    ['leaves alone what goes already', { attached: [attachment(v, true, true)] }, ''],
    ['does not attach again what goes', { wanted: [v], attached: [attachment(v, true, true)] }, ''],
    ['shares what may be shared', { wanted: [v], nodesOf: () => ['m'] }, 'create v'],
    [
      'waits for what another node has',
      { wanted: [volume('x', true), w], nodesOf: () => ['m'] },
      'create w, blocked x',
    ],
  ])('%s', (_, observation, expected) => {
    const plan = planNode({
      nodeName: 'n',
      node: up,
      wanted: [],
      attached: [],
      nodesOf: () => [],
      unusedMs: () => 10_000,
      ...observation,
    });
    const parts = [
      ['create', plan.create.map(({ spec }) => spec.source.persistentVolumeName)],
      ['remove', plan.remove.map(({ spec }) => spec.source.persistentVolumeName)],
      ['list', plan.volumesAttached.map(({ name }) => name.split('^')[1])],
      ['blocked', plan.blocked.map(({ name }) => name)],
      ['recheck', plan.recheckMs === undefined ? [] : [plan.recheckMs]],
    ] as const;
    expect(
      parts.flatMap(([name, list]) => (list.length > 0 ? [`${name} ${list.join()}`] : [])).join(', '),
    ).toBe(expected);
  });
});

describe('needsVolumes', () => {
  const pod = (status: Pod['status'], deletionTimestamp?: string): Pod => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', ...(deletionTimestamp !== undefined && { deletionTimestamp }) },
    spec: { containers: [] },
    ...(status && { status }),
  });
  const container = { name: 'c', image: '', imageID: '', ready: false, restartCount: 0 };
  it.each<[string, Pod, boolean]>([
    ['waiting', pod({ phase: 'Pending' }), true],
    ['running', pod({ phase: 'Running' }), true],
    ['done', pod({ phase: 'Succeeded' }), false],
    [
      'ending, still running',
      pod({ phase: 'Running', containerStatuses: [{ ...container, state: { running: {} } }] }, 'now'),
      true,
    ],
    [
      'ending, stopped',
      pod(
        { phase: 'Running', containerStatuses: [{ ...container, state: { terminated: { exitCode: 0 } } }] },
        'now',
      ),
      false,
    ],
    ['ended before it began', pod({ phase: 'Pending' }, 'now'), false],
  ])('%s', (_, held, expected) => {
    expect(needsVolumes(held)).toBe(expected);
  });
});
