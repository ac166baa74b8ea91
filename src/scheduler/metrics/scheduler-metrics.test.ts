import { describe, expect, it } from 'vitest';
import { MetricRegistry } from '../../base/metrics/registry.ts';
import { nodes, pods, serviceaccounts, type Node, type Pod } from '../../api/core/v1.gen.ts';
import { eventually } from '../../reconcile/eventually.ts';
import { startTestServer } from '../../reconcile/test-server.ts';
import { scheduler } from '../scheduler.ts';

function pod(name: string, cpu: string, more: Partial<Pod['spec']> = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu } } }], ...more },
  };
}

const status: Node['status'] = {
  allocatable: { cpu: '4', memory: '8Gi', pods: '110' },
  capacity: { cpu: '4', memory: '8Gi', pods: '110' },
  conditions: [{ type: 'Ready', status: 'True' }],
};

describe('metrics of the scheduler', () => {
  it('count attempts, queues, plug-ins and the cache by upstream names', async () => {
    const metrics = new MetricRegistry();
    const server = await startTestServer([scheduler], { metrics });
    const { client } = server;
    try {
      await client.for(serviceaccounts).create({
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name: 'default', namespace: 'default' },
      });
      const node = await client.for(nodes).create({
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name: 'n' },
        spec: {},
      });
      const ready = await client.for(nodes).updateStatus({ ...node, status });
      await client.for(nodes).update({ ...ready, spec: {} });
      await client.for(pods).create(pod('fits', '1'));
      await client.for(pods).create(pod('large', '100'));
      await client.for(pods).create(pod('gated', '1', { schedulingGates: [{ name: 'example.com/wait' }] }));
      await eventually(
        client,
        pods,
        (list) =>
          list.every(({ status: { conditions } = {} }) => (conditions ?? []).length > 0) &&
          list.some(({ spec }) => spec.nodeName === 'n'),
      );
      const lines = metrics.text((name) => name.startsWith('scheduler_')).split('\n');
      const value = (series: string): number =>
        Number(lines.find((line) => line.startsWith(`${series} `))?.split(' ')[1]);
      const profile = 'profile="default-scheduler"';
      expect({
        scheduled: value(`scheduler_schedule_attempts_total{result="scheduled",${profile}}`),
        unschedulable: value(`scheduler_schedule_attempts_total{result="unschedulable",${profile}}`),
        bound: value('scheduler_pod_scheduling_attempts_count'),
        firstTime: value('scheduler_pod_scheduling_sli_duration_seconds_count{attempts="1"}'),
        gated: value('scheduler_pending_pods{queue="gated"}'),
        tooLarge: value(`scheduler_unschedulable_pods{plugin="NodeResourcesFit",${profile}}`),
        nodes: value('scheduler_cache_size{type="nodes"}'),
        pods: value('scheduler_cache_size{type="pods"}'),
        filtered: value(
          `scheduler_framework_extension_point_duration_seconds_count{extension_point="Filter",status="Success",${profile}}`,
        ),
        rejected: value(
          `scheduler_framework_extension_point_duration_seconds_count{extension_point="Filter",status="Unschedulable",${profile}}`,
        ),
        entered: value('scheduler_queue_incoming_pods_total{queue="active",event="PodAdd"}'),
        heldBack: value('scheduler_queue_incoming_pods_total{queue="gated",event="PodAdd"}'),
      }).toEqual({
        scheduled: 1,
        unschedulable: 1,
        bound: 1,
        firstTime: 1,
        gated: 1,
        tooLarge: 1,
        nodes: 1,
        pods: 1,
        filtered: 1,
        rejected: 1,
        entered: 2,
        heldBack: 1,
      });
    } finally {
      await server.stop();
    }
  });
});
