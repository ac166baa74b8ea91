import { describe, expect, it } from 'vitest';
import type { Node, Pod } from '../api/core/v1.gen.ts';
import type { Live } from '../machinery/object.ts';
import { addTo } from './domain-counts.ts';
import { PodIndex } from './pod-index.ts';
import { node, pod } from './plugins/testdata/objects.ts';
import { seededRandom } from './random.ts';

const zones = ['a', 'b', 'c', undefined];
const apps = ['web', 'db', 'cache'];
const groupOf: ReadonlyMap<string, string> = new Map([
  ['n0', 'even'],
  ['n2', 'even'],
  ['n1', 'odd'],
]);

const zoned = (name: string, zone: string | undefined): Live<Node> =>
  node(name, { labels: zone === undefined ? {} : { zone } });
const labelled = (name: string, app: string, going: boolean): Live<Pod> =>
  pod(name, {}, { labels: { app }, ...(going && { deletionTimestamp: '2026-01-01T00:00:00Z' }) });

type Counts = Record<string, Record<string, number>>;

/** For each label set the pods by zone and by group, counted by hand. */
function counted(
  nodes: ReadonlyMap<string, Live<Node>>,
  placed: ReadonlyMap<string, readonly [Live<Pod>, string]>,
): Counts {
  const counts = new Map<string, Map<string, number>>();
  for (const [{ metadata }, nodeName] of placed.values()) {
    const key = `${metadata.labels?.['app'] ?? ''} ${metadata.deletionTimestamp ? 'going' : ''}`;
    const own = counts.get(key) ?? new Map<string, number>();
    counts.set(key, own);
    const zone = nodes.get(nodeName)?.metadata.labels?.['zone'];
    if (zone !== undefined) addTo(own, `zone ${zone}`, 1);
    const group = groupOf.get(nodeName);
    if (group !== undefined) addTo(own, `group ${group}`, 1);
  }
  return plain(counts);
}

function held(index: PodIndex): Counts {
  const counts = new Map<string, Map<string, number>>();
  for (const one of index.classesIn('default')) {
    const own = new Map<string, number>();
    for (const [zone, count] of one.byDomain('zone')) own.set(`zone ${zone}`, count);
    for (const [group, count] of one.byGroup(groupOf)) own.set(`group ${group}`, count);
    counts.set(`${one.labels['app'] ?? ''} ${one.terminating ? 'going' : ''}`, own);
  }
  return plain(counts);
}

function plain(counts: ReadonlyMap<string, ReadonlyMap<string, number>>): Counts {
  return Object.fromEntries([...counts].map(([key, own]) => [key, Object.fromEntries(own)]));
}

describe('PodIndex', () => {
  it.each([1, 2, 3])('counts as if counted anew, whatever happens (seed %i)', (seed) => {
    const random = seededRandom(seed);
    const pick = (count: number): number => Math.floor(random() * count);
    const index = new PodIndex();
    const nodes = new Map<string, Live<Node>>();
    const placed = new Map<string, readonly [Live<Pod>, string]>();
    for (let step = 0; step < 600; step++) {
      const name = `n${pick(6)}`;
      const podName = `p${pick(30)}`;
      switch (pick(5)) {
        case 0: {
          const next = zoned(name, zones[pick(zones.length)]);
          nodes.set(name, next);
          index.setNode(name, next);
          break;
        }
        case 1:
          if (pick(4) === 0) {
            nodes.delete(name);
            index.setNode(name, undefined);
          }
          break;
        case 2:
          placed.delete(podName);
          index.remove(podName);
          break;
        default: {
          const next = labelled(podName, apps[pick(apps.length)] ?? '', pick(5) === 0);
          placed.set(podName, [next, name]);
          index.place(next, name);
        }
      }
      expect(held(index)).toEqual(counted(nodes, placed));
    }
  });

  it('tells by its version whether nodes changed in labels or taints', () => {
    const index = new PodIndex();
    const versions = [
      zoned('n', 'a'),
      { ...zoned('n', 'a'), status: { conditions: [] } },
      zoned('n', 'b'),
      node('n', { labels: { zone: 'b' }, spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } }),
      undefined,
    ].map((next) => {
      index.setNode('n', next);
      return index.nodesVersion;
    });
    expect(versions).toEqual([1, 1, 2, 3, 4]);
  });
});
