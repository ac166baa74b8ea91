import type { Container } from '../../api/core/v1.gen.ts';
import type { Clock } from '../../base/clock.ts';
import type { NodeInfo } from '../node-info.ts';
import type { PodInfo } from '../pod-info.ts';
import type { Candidate } from '../preemption/victims.ts';
import type { Snapshot } from '../snapshot.ts';
import { asList, entriesField, field, listField, numberField, textField } from './answer.ts';
import { extenderClient, type ExtenderClient } from './extender-client.ts';
import type { ExtenderSettings } from './extender-settings.ts';

/** Which nodes an extender leaves, and why it does not the others, by name. */
export interface ExtenderFilterResult {
  readonly nodes: readonly NodeInfo[];
  readonly failed: ReadonlyMap<string, string>;
  /** Preemption would not help there. */
  readonly unresolvable: ReadonlyMap<string, string>;
}

/** A webhook that has a say in scheduling (the scheduler extender of upstream). Questions throw when it does not answer well. */
export interface Extender {
  /** `urlPrefix`. */
  readonly name: string;
  readonly ignorable: boolean;
  readonly filters: boolean;
  readonly prioritizes: boolean;
  readonly binds: boolean;
  readonly preempts: boolean;
  /** Whether the pod is its business. */
  isInterested(pod: PodInfo): boolean;
  filter(pod: PodInfo, nodes: readonly NodeInfo[]): Promise<ExtenderFilterResult>;
  /** Scores by the names of nodes, in the range of weighted plug-in scores. */
  prioritize(pod: PodInfo, nodes: readonly NodeInfo[]): Promise<ReadonlyMap<string, number>>;
  bind(pod: PodInfo, nodeName: string): Promise<void>;
  /** Which of the candidates it leaves, with victims of its choice. */
  preempt(pod: PodInfo, candidates: readonly Candidate[], snapshot: Snapshot): Promise<readonly Candidate[]>;
  close(): void;
}

/** Extenders score from 0 to 10, plug-ins from 0 to 100. */
const scale = 10;

/** An extender behind HTTP or HTTPS; nothing is sent before the first question. */
export function createExtender(settings: ExtenderSettings, clock: Clock): Extender {
  const { urlPrefix, filterVerb, prioritizeVerb, bindVerb, preemptVerb, weight } = settings;
  const managed = new Set(settings.managedResources);
  let client: ExtenderClient | undefined;
  const ask = (verb: string, body: unknown): Promise<unknown> => {
    client ??= extenderClient(settings, clock);
    return client.post(verb, body);
  };
  const about = (pod: PodInfo, nodes: readonly NodeInfo[]): object => ({
    Pod: pod.pod,
    Nodes: settings.nodeCacheCapable ? null : { metadata: {}, items: nodes.map(({ node }) => node) },
    NodeNames: settings.nodeCacheCapable ? nodes.map(({ name }) => name) : null,
  });

  return {
    name: urlPrefix,
    ignorable: settings.ignorable,
    filters: filterVerb !== '',
    prioritizes: prioritizeVerb !== '',
    binds: bindVerb !== '',
    preempts: preemptVerb !== '',
    isInterested({ pod: { spec } }) {
      if (managed.size === 0) return true;
      return [...spec.containers, ...(spec.initContainers ?? [])].some((one) => requestsAny(one, managed));
    },
    async filter(pod, nodes) {
      const answer = await ask(filterVerb, about(pod, nodes));
      const error = textField(answer, 'Error');
      if (error !== '') throw new Error(error);
      return {
        nodes: remaining(answer, nodes),
        failed: reasons(answer, 'FailedNodes'),
        unresolvable: reasons(answer, 'FailedAndUnresolvableNodes'),
      };
    },
    async prioritize(pod, nodes) {
      const answer = await ask(prioritizeVerb, about(pod, nodes));
      const scores = new Map<string, number>();
      for (const one of asList(answer, 'the list of scores')) {
        const host = textField(one, 'Host');
        scores.set(host, (scores.get(host) ?? 0) + numberField(one, 'Score') * weight * scale);
      }
      return scores;
    },
    async bind({ namespace, name, uid }, nodeName) {
      const answer = await ask(bindVerb, {
        PodName: name,
        PodNamespace: namespace,
        PodUID: uid,
        Node: nodeName,
      });
      const error = textField(answer, 'Error');
      if (error !== '') throw new Error(error);
    },
    async preempt(pod, candidates, snapshot) {
      const victims = victimsOf(candidates, ({ uid, pod: victim }) =>
        settings.nodeCacheCapable ? { UID: uid } : victim,
      );
      const answer = await ask(preemptVerb, {
        Pod: pod.pod,
        NodeNameToVictims: settings.nodeCacheCapable ? null : victims,
        NodeNameToMetaVictims: settings.nodeCacheCapable ? victims : null,
      });
      return entriesField(answer, 'NodeNameToMetaVictims').map(([nodeName, chosen]) =>
        candidateOf(nodeName, chosen, snapshot),
      );
    },
    close: () => client?.close(),
  };

  function remaining(answer: unknown, asked: readonly NodeInfo[]): readonly NodeInfo[] {
    const names =
      (settings.nodeCacheCapable ? listField(answer, 'NodeNames') : undefined) ??
      listField(field(answer, 'Nodes'), 'items')?.map((node) => textField(field(node, 'metadata'), 'name'));
    if (!names) return [];
    const byName = new Map(asked.map((node) => [node.name, node]));
    return names.map((nodeName) => {
      const node = byName.get(String(nodeName));
      if (node) return node;
      throw new Error(
        `extender "${urlPrefix}" claims a filtered node "${String(nodeName)}" which is not found in the input node list`,
      );
    });
  }

  function candidateOf(nodeName: string, chosen: unknown, snapshot: Snapshot): Candidate {
    const node = snapshot.node(nodeName);
    if (!node) throw new Error(`nodeinfo not found for node name "${nodeName}"`);
    const victims = (listField(chosen, 'Pods') ?? []).map((one) => {
      const uid = textField(one, 'UID');
      const victim = node.pods.get(uid);
      if (victim) return victim;
      throw new Error(
        `extender: ${urlPrefix} claims to preempt pod (UID: ${uid}) on node: ${nodeName}, but the pod is not found on that node`,
      );
    });
    return { node, victims, violations: numberField(chosen, 'NumPDBViolations') };
  }
}

function reasons(answer: unknown, name: string): ReadonlyMap<string, string> {
  return new Map(entriesField(answer, name).map(([node, reason]) => [node, String(reason)]));
}

function victimsOf(
  candidates: readonly Candidate[],
  shown: (victim: PodInfo) => object,
): Readonly<Record<string, object>> {
  return Object.fromEntries(
    candidates.map(({ node, victims, violations }) => [
      node.name,
      { Pods: victims.map(shown), NumPDBViolations: violations },
    ]),
  );
}

function requestsAny({ resources }: Container, managed: ReadonlySet<string>): boolean {
  const names = [...Object.keys(resources?.requests ?? {}), ...Object.keys(resources?.limits ?? {})];
  return names.some((name) => managed.has(name));
}
