import { describe, expect, it } from 'vitest';
import { summarizePod } from './pod-status.ts';
import type { ContainerStatus, Pod, PodSpec, PodStatus } from './v1.gen.ts';

const now = Date.parse('2024-01-02T03:10:05Z');

function pod(status: PodStatus, spec: Partial<PodSpec> = {}, metadata: Pod['metadata'] = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', ...metadata },
    spec: { containers: [{ name: 'c' }], ...spec },
    status,
  };
}

function containerStatus(part: Partial<ContainerStatus>): ContainerStatus {
  return { name: 'c', image: 'x', imageID: '', ready: false, restartCount: 0, ...part };
}

const running = { running: { startedAt: '2024-01-02T03:04:05Z' } };
const init = { initContainers: [{ name: 'i' }, { name: 'k' }] };
const ended = { terminated: { exitCode: 1, finishedAt: '2024-01-02T03:05:05Z' } };

describe('summarizePod', () => {
  it.each<[string, Pod, string]>([
    ['that waits for a node', pod({ phase: 'Pending' }), '0/1 Pending 0'],
    [
      'that runs and was restarted',
      pod({
        phase: 'Running',
        containerStatuses: [
          containerStatus({ ready: true, restartCount: 2, state: running, lastState: ended }),
        ],
      }),
      '1/1 Running 2 (5m ago)',
    ],
    [
      'that cannot pull',
      pod({
        phase: 'Pending',
        containerStatuses: [containerStatus({ state: { waiting: { reason: 'ImagePullBackOff' } } })],
      }),
      '0/1 ImagePullBackOff 0',
    ],
    [
      'whose container ended',
      pod({
        phase: 'Running',
        containerStatuses: [containerStatus({ state: { terminated: { exitCode: 0, reason: 'Completed' } } })],
      }),
      '0/1 Completed 0',
    ],
    [
      'whose container was killed',
      pod({
        phase: 'Running',
        containerStatuses: [containerStatus({ state: { terminated: { exitCode: 0, signal: 9 } } })],
      }),
      '0/1 Signal:9 0',
    ],
    [
      'in its first init container',
      pod(
        { phase: 'Pending', initContainerStatuses: [containerStatus({ name: 'i', state: running })] },
        init,
      ),
      '0/1 Init:0/2 0',
    ],
    [
      'with a failing init container',
      pod(
        {
          phase: 'Pending',
          initContainerStatuses: [
            containerStatus({
              name: 'i',
              restartCount: 3,
              state: { waiting: { reason: 'CrashLoopBackOff' } },
            }),
          ],
        },
        init,
      ),
      '0/1 Init:CrashLoopBackOff 3',
    ],
    [
      'with a sidecar',
      pod(
        {
          phase: 'Running',
          initContainerStatuses: [containerStatus({ name: 'i', ready: true, started: true, state: running })],
          containerStatuses: [containerStatus({ ready: true, state: running })],
        },
        { initContainers: [{ name: 'i', restartPolicy: 'Always' }] },
      ),
      '2/2 Running 0',
    ],
    [
      'on its way out',
      pod({ phase: 'Running' }, {}, { deletionTimestamp: '2024-01-02T03:04:05Z' }),
      '0/1 Terminating 0',
    ],
    ['that was evicted', pod({ phase: 'Failed', reason: 'Evicted' }), '0/1 Evicted 0'],
    [
      'that is gated',
      pod({
        phase: 'Pending',
        conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }],
      }),
      '0/1 SchedulingGated 0',
    ],
  ])('of a pod %s', (_name, object, expected) => {
    const { ready, status, restarts } = summarizePod(object, now);
    expect(`${ready} ${status} ${restarts}`).toBe(expected);
  });
});
