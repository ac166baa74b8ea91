import { describe, expect, it } from 'vitest';
import type { Pod } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { planDrain, type DrainPolicy } from './plan-drain.ts';

const strict: DrainPolicy = { ignoreDaemonsets: false, deleteEmptydirData: false, force: false };

function pod(name: string, more: Partial<Pod> & { readonly owner?: string } = {}): Live<Pod> {
  const { owner, metadata, ...rest } = more;
  const controlled = owner && {
    ownerReferences: [{ apiVersion: 'apps/v1', kind: owner, name: 'x', uid: 'x', controller: true }],
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      namespace: 'default',
      name,
      uid: name,
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...controlled,
      ...metadata,
    },
    spec: { containers: [] },
    ...rest,
  };
}

const plain = pod('plain', { owner: 'ReplicaSet' });
const daemon = pod('daemon', { owner: 'DaemonSet' });
const alone = pod('alone');
const scratch = pod('scratch', {
  owner: 'ReplicaSet',
  spec: { containers: [], volumes: [{ name: 'scratch', emptyDir: {} }] },
});
const ended = pod('ended', { status: { phase: 'Succeeded' } });
const mirror = pod('mirror', { metadata: { annotations: { 'kubernetes.io/config.mirror': 'x' } } });

describe('draining a node', () => {
  it.each<[string, readonly Live<Pod>[], Partial<DrainPolicy>, Partial<ReturnType<typeof planDrain>>]>([
    ['evicts pods that come again, and those that ended', [plain, ended], {}, { pods: [plain, ended] }],
    ['leaves mirror pods', [mirror], {}, {}],
    [
      'refuses daemons',
      [daemon],
      {},
      {
        errors: ['cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore): default/daemon'],
      },
    ],
    [
      'leaves daemons when it is told to',
      [daemon, plain],
      { ignoreDaemonsets: true },
      { pods: [plain], warnings: ['ignoring DaemonSet-managed Pods: default/daemon'] },
    ],
    [
      'refuses pods that nobody makes anew',
      [alone],
      {},
      { errors: ['cannot delete Pods that declare no controller (use --force to override): default/alone'] },
    ],
    [
      'evicts them by force',
      [alone],
      { force: true },
      { pods: [alone], warnings: ['deleting Pods that declare no controller: default/alone'] },
    ],
    [
      'refuses pods that would lose data',
      [scratch],
      {},
      {
        errors: [
          'cannot delete Pods with local storage (use --delete-emptydir-data to override): default/scratch',
        ],
      },
    ],
    ['evicts them when the data may go', [scratch], { deleteEmptydirData: true }, { pods: [scratch] }],
  ])('%s', (_, pods, policy, expected) => {
    const plan = planDrain(pods, { ...strict, ...policy }, new Set(['x']));
    expect(plan).toEqual({ pods: [], warnings: [], errors: [], ...expected });
  });

  it('refuses daemons whose set is gone, but by force', () => {
    expect(planDrain([daemon], strict, new Set()).errors).toHaveLength(1);
    expect(planDrain([daemon], { ...strict, force: true }, new Set()).pods).toEqual([daemon]);
  });
});
