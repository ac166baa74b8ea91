import { describe, expect, it } from 'vitest';
import type { Node, Pod } from '../../api/core/v1.gen.ts';
import type { KubeObject, Live } from '../../machinery/object.ts';
import { staticInformers } from '../../reconcile/static-informers.ts';
import type { ClusterEvent, EventAction, EventResource } from '../cluster-event.ts';
import { defaultPluginArgs } from '../config/plugin-args.ts';
import { EventHints } from '../event-hints.ts';
import type { Handle } from '../framework.ts';
import { podInfo } from '../pod-info.ts';
import { SchedulerCache } from '../scheduler-cache.ts';
import { inTreePlugins } from './in-tree-plugins.ts';
import { node, pod, requests, spread } from './testdata/objects.ts';

const labelled = (app: string, spec: Partial<Pod['spec']> = {}, name: string = app): Live<Pod> =>
  pod(name, spec, { labels: { app } });
const affinity = (kind: 'podAffinity' | 'podAntiAffinity', app: string): Partial<Pod['spec']> => ({
  affinity: {
    [kind]: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { topologyKey: 'zone', labelSelector: { matchLabels: { app } } },
      ],
    },
  },
});
const tainted: Live<Node> = node('n', { spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } });
const inZone: Live<Node> = node('n', { labels: { zone: 'a' } });
const port = (hostPort: number): Partial<Pod['spec']> => ({
  containers: [{ name: 'c', image: 'app', ports: [{ containerPort: 80, hostPort }] }],
});
const tolerant: Partial<Pod['spec']> = {
  tolerations: [{ key: 'node.kubernetes.io/unschedulable', operator: 'Exists' }],
};

/** What plug-ins say about events: made once, since they keep nothing that events change. */
function hints(): EventHints {
  const snapshot = new SchedulerCache(() => ({}));
  const handle = { informers: staticInformers([]), snapshot } as Partial<Handle> as Handle;
  const args = defaultPluginArgs();
  const made = inTreePlugins
    .filter(({ name }) => !name.startsWith('Default'))
    .map((factory) => factory.create(handle, args));
  return new EventHints(made.map((plugin) => [plugin.name, plugin.eventsToRegister?.()] as const));
}

function event(
  what: `${EventResource}/${EventAction}`,
  previous: Live<KubeObject> | undefined,
  next: Live<KubeObject> | undefined,
): ClusterEvent {
  const [resource, action] = what.split('/') as [EventResource, EventAction];
  return { resource, action, ...(previous && { previous }), ...(next && { next }) };
}

const waiting = pod('p');

describe('queueing hints', () => {
  const asked = hints();
  it.each<[boolean, string, string, Live<Pod>, ClusterEvent]>([
    [true, 'NodeResourcesFit', 'a node with room comes', waiting, event('Node/Add', undefined, node('n'))],
    [
      false,
      'NodeResourcesFit',
      'a node comes that is too small',
      pod('p', requests({ cpu: '5' })),
      event('Node/Add', undefined, node('n')),
    ],
    [
      true,
      'NodeResourcesFit',
      'a node grows',
      pod('p', requests({ cpu: '5' })),
      event('Node/UpdateNodeAllocatable', node('n'), node('n', { allocatable: { cpu: '8' } })),
    ],
    [
      false,
      'NodeResourcesFit',
      'a node grows in what is not asked for',
      pod('p', requests({ cpu: '1' })),
      event('Node/UpdateNodeAllocatable', node('n'), node('n', { allocatable: { memory: '16Gi' } })),
    ],
    [true, 'NodeResourcesFit', 'a pod goes', waiting, event('AssignedPod/Delete', pod('q'), undefined)],
    [
      false,
      'NodeResourcesFit',
      'a pod shrinks in what is not asked for',
      pod('p', requests({ cpu: '1' })),
      event(
        'AssignedPod/UpdatePodScaleDown',
        pod('q', requests({ memory: '2' })),
        pod('q', requests({ memory: '1' })),
      ),
    ],
    [true, 'TaintToleration', 'a taint goes', waiting, event('Node/UpdateNodeTaint', tainted, node('n'))],
    [false, 'TaintToleration', 'a tainted node comes', waiting, event('Node/Add', undefined, tainted)],
    [
      true,
      'NodeUnschedulable',
      'a node is uncordoned',
      waiting,
      event('Node/UpdateNodeTaint', node('n', { spec: { unschedulable: true } }), node('n')),
    ],
    [
      false,
      'NodeUnschedulable',
      'another taint changes',
      waiting,
      event('Node/UpdateNodeTaint', tainted, node('n')),
    ],
    [
      true,
      'NodeUnschedulable',
      'the pod tolerates it now',
      pod('p', tolerant),
      event('TargetPod/UpdatePodToleration', waiting, pod('p', tolerant)),
    ],
    [
      true,
      'NodeAffinity',
      'a node gets the label',
      pod('p', { nodeSelector: { zone: 'a' } }),
      event('Node/UpdateNodeLabel', node('n'), inZone),
    ],
    [
      false,
      'NodeAffinity',
      'a node had the label before',
      pod('p', { nodeSelector: { zone: 'a' } }),
      event('Node/UpdateNodeLabel', inZone, inZone),
    ],
    [
      true,
      'NodePorts',
      'the port is given back',
      pod('p', port(80)),
      event('AssignedPod/Delete', pod('q', port(80)), undefined),
    ],
    [
      false,
      'NodePorts',
      'another port is given back',
      pod('p', port(80)),
      event('AssignedPod/Delete', pod('q', port(81)), undefined),
    ],
    [
      true,
      'InterPodAffinity',
      'the wanted pod comes',
      pod('p', affinity('podAffinity', 'db')),
      event('AssignedPod/Add', undefined, labelled('db')),
    ],
    [
      false,
      'InterPodAffinity',
      'another pod comes',
      pod('p', affinity('podAffinity', 'db')),
      event('AssignedPod/Add', undefined, labelled('web')),
    ],
    [
      true,
      'InterPodAffinity',
      'the avoided pod goes',
      pod('p', affinity('podAntiAffinity', 'db')),
      event('AssignedPod/Delete', labelled('db'), undefined),
    ],
    [
      true,
      'InterPodAffinity',
      'the pod that refuses it goes',
      labelled('web'),
      event('AssignedPod/Delete', labelled('db', affinity('podAntiAffinity', 'web')), undefined),
    ],
    [
      true,
      'InterPodAffinity',
      'the avoided pod is relabelled',
      pod('p', affinity('podAntiAffinity', 'db')),
      event('AssignedPod/UpdatePodLabel', labelled('db', {}, 'q'), labelled('web', {}, 'q')),
    ],
    [
      true,
      'PodTopologySpread',
      'a counted pod goes',
      labelled('web', { topologySpreadConstraints: [spread('zone')] }),
      event('AssignedPod/Delete', labelled('web', {}, 'q'), undefined),
    ],
    [
      false,
      'PodTopologySpread',
      'another pod goes',
      labelled('web', { topologySpreadConstraints: [spread('zone')] }),
      event('AssignedPod/Delete', labelled('db', {}, 'q'), undefined),
    ],
    [
      true,
      'PodTopologySpread',
      'a node with the label comes',
      labelled('web', { topologySpreadConstraints: [spread('zone')] }),
      event('Node/Add', undefined, inZone),
    ],
    [
      false,
      'PodTopologySpread',
      'a node without the label comes',
      labelled('web', { topologySpreadConstraints: [spread('zone')] }),
      event('Node/Add', undefined, node('n')),
    ],
    [
      true,
      'SchedulingGates',
      'its gates go',
      waiting,
      event('TargetPod/UpdatePodSchedulingGatesEliminated', waiting, waiting),
    ],
    [false, 'SchedulingGates', 'a node comes', waiting, event('Node/Add', undefined, node('n'))],
    [true, 'NodeName', 'a node comes', pod('p', { nodeName: 'n' }), event('Node/Add', undefined, node('n'))],
  ])('%s: %s when %s', (expected, plugin, ...[, subject, happened]) => {
    expect(asked.wakes(plugin, podInfo(subject), happened)).toBe(expected);
  });
});
