import { assert, constantFrom, option, property, record, uniqueArray } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kubernetesSchema } from '../schema/table.ts';
import { StatusError } from '../status-error.ts';
import { isObject, type JsonObject } from './json-value.ts';
import { applyStrategicMergePatch, type PatchedMessage } from './strategic-merge-patch.ts';
import { threeWayMergePatch, threeWayStrategicMergePatch } from './three-way.ts';

function of(message: string): PatchedMessage {
  return { table: kubernetesSchema(), message };
}

const podSpec = of('io.k8s.api.core.v1.PodSpec');
const deploymentSpec = of('io.k8s.api.apps.v1.DeploymentSpec');
const serviceSpec = of('io.k8s.api.core.v1.ServiceSpec');
const meta = of('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta');

describe('strategic merge patch', () => {
  const pod = {
    containers: [
      {
        name: 'c',
        image: 'i',
        env: [
          { name: 'A', value: '1' },
          { name: 'B', value: '2' },
        ],
        args: ['a'],
      },
      { name: 'side', image: 's' },
    ],
    tolerations: [{ key: 'a' }],
    volumes: [{ name: 'v', emptyDir: {} }],
  };
  const [first, side] = pod.containers;

  it.each<[string, JsonObject, JsonObject]>([
    [
      'merges by key',
      { containers: [{ name: 'c', image: 'n' }] },
      { containers: [{ ...first, image: 'n' }, side] },
    ],
    [
      'puts new elements first',
      { containers: [{ name: 'new' }] },
      { containers: [{ name: 'new' }, first, side] },
    ],
    ['deletes an element', { containers: [{ name: 'side', $patch: 'delete' }] }, { containers: [first] }],
    [
      'replaces a list',
      { containers: [{ name: 'x' }, { $patch: 'replace' }] },
      { containers: [{ name: 'x' }] },
    ],
    [
      'replaces a list by elements of one key',
      { containers: [{ name: 'x', image: 'a' }, { name: 'x', image: 'b' }, { $patch: 'replace' }] },
      {
        containers: [
          { name: 'x', image: 'a' },
          { name: 'x', image: 'b' },
        ],
      },
    ],
    [
      'orders',
      { '$setElementOrder/containers': [{ name: 'side' }, { name: 'c' }] },
      { containers: [side, first] },
    ],
    [
      'orders with a new element',
      {
        '$setElementOrder/containers': [{ name: 'new' }, { name: 'c' }, { name: 'side' }],
        containers: [{ name: 'new', image: 'n' }],
      },
      { containers: [{ name: 'new', image: 'n' }, first, side] },
    ],
    ['replaces atomic lists', { tolerations: [{ key: 'b' }] }, { tolerations: [{ key: 'b' }] }],
    [
      'deletes inside an element',
      { containers: [{ name: 'c', env: [{ name: 'A', $patch: 'delete' }], args: null }] },
      { containers: [{ name: 'c', image: 'i', env: [{ name: 'B', value: '2' }] }, side] },
    ],
    [
      'retains the keys named',
      { volumes: [{ name: 'v', $retainKeys: ['name', 'hostPath'], hostPath: { path: '/x' } }] },
      { volumes: [{ name: 'v', hostPath: { path: '/x' } }] },
    ],
    ['leaves a list that the patch empties', { containers: [{ name: 'c', env: [] }] }, {}],
    [
      'drops directives from what is new',
      { affinity: { $patch: 'replace', podAffinity: null, a: 1 } },
      { affinity: { a: 1 } },
    ],
  ])('%s', (_name, patch, changed) => {
    const before = structuredClone(pod);
    expect(applyStrategicMergePatch(pod, patch, podSpec)).toEqual({ ...pod, ...changed });
    expect(pod).toEqual(before);
  });

  it.each<[string, JsonObject, JsonObject, JsonObject]>([
    ['merges scalars', { finalizers: ['a/1'] }, { finalizers: ['a/2'] }, { finalizers: ['a/2', 'a/1'] }],
    [
      'deletes scalars',
      { finalizers: ['a/1', 'a/2'] },
      { '$deleteFromPrimitiveList/finalizers': ['a/1'] },
      { finalizers: ['a/2'] },
    ],
    [
      'orders scalars',
      { finalizers: ['a/1'] },
      { '$setElementOrder/finalizers': ['a/2', 'a/1'], finalizers: ['a/2'] },
      { finalizers: ['a/2', 'a/1'] },
    ],
    ['clears a map', { labels: { a: '1' } }, { labels: { $patch: 'delete' } }, { labels: {} }],
    [
      'replaces a map',
      { labels: { a: '1' } },
      { labels: { $patch: 'replace', b: '2' } },
      { labels: { b: '2' } },
    ],
    ['deletes a member', { labels: { a: '1', b: '2' } }, { labels: { a: null } }, { labels: { b: '2' } }],
  ])('%s of metadata', (_name, document, patch, expected) => {
    expect(applyStrategicMergePatch(document, patch, meta)).toEqual(expected);
  });

  it('keeps only the keys named of a whole object', () => {
    const document = { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } };
    const patch = { strategy: { $retainKeys: ['type'], type: 'Recreate' } };
    expect(applyStrategicMergePatch(document, patch, deploymentSpec)).toEqual({
      strategy: { type: 'Recreate' },
    });
  });

  it('merges numbered keys', () => {
    const document = {
      ports: [
        { port: 80, name: 'http' },
        { port: 443, name: 'https' },
      ],
    };
    expect(
      applyStrategicMergePatch(document, { ports: [{ port: 80, targetPort: 8080 }] }, serviceSpec),
    ).toEqual({
      ports: [
        { port: 80, name: 'http', targetPort: 8080 },
        { port: 443, name: 'https' },
      ],
    });
  });

  it('keeps __proto__ a member', () => {
    const patch: unknown = JSON.parse('{"labels":{"__proto__":"x"}}');
    expect(JSON.stringify(applyStrategicMergePatch({ labels: { a: '1' } }, patch, meta))).toBe(
      '{"labels":{"a":"1","__proto__":"x"}}',
    );
  });

  it.each<[JsonObject, string]>([
    [{ containers: [{ image: 'x' }] }, '500 map: map[image:x] does not contain declared merge key: name'],
    [
      { containers: [{ name: 'c', $patch: 'merge' }] },
      '500 merging lists cannot yet be specified in the patch',
    ],
    [
      { tolerations: { $patch: 'odd' }, affinity: { $patch: 'odd' }, $patch: 'odd' },
      '500 unknown patch type: odd in map: map[$patch:odd affinity:map[$patch:odd] tolerations:map[$patch:odd]]',
    ],
    [{ $retainKeys: 'x' }, '400 invalid patch format of retainKeys'],
    [{ '$setElementOrder/containers': 'x' }, '400 invalid patch format of setElementOrder list'],
    [{ '$deleteFromPrimitiveList/x': 'x' }, '400 invalid patch format of primitive list'],
    [
      { containers: ['c'] },
      `500 list element types are not identical: [[map[args:[a] env:[map[name:A value:1] map[name:B value:2]] image:i name:c] map[image:s name:side]] [c]]`,
    ],
  ])('%j is refused', (patch, message) => {
    let text = '';
    try {
      applyStrategicMergePatch(pod, patch, podSpec);
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      text = `${error.code} ${error.message}`;
    }
    expect(text).toBe(message);
  });
});

describe('three-way patches', () => {
  const container = record({
    name: constantFrom('a', 'b', 'c', 'd'),
    image: constantFrom('1', '2'),
    env: uniqueArray(record({ name: constantFrom('X', 'Y'), value: constantFrom('1', '2') }), {
      selector: (item) => item.name,
    }),
  });
  const pods = record({
    containers: uniqueArray(container, { selector: (item) => item.name, minLength: 1 }),
    nodeSelector: option(record({ disk: constantFrom('ssd', 'hdd') }), { nil: undefined }),
  }).map((value): JsonObject => structuredClone(value));

  function clean(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(clean);
    if (!isObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, item]) => item !== undefined)
        .map(([key, item]) => [key, clean(item)]),
    );
  }

  function asObject(value: unknown): JsonObject {
    if (!isObject(value)) throw new TypeError('no object');
    return value;
  }

  it('turn what was applied into what is wanted', () => {
    assert(
      property(pods, pods, (before, wanted) => {
        const original = asObject(clean(before));
        const modified = asObject(clean(wanted));
        const patch = threeWayStrategicMergePatch({ original, modified, current: original }, podSpec);
        const result = applyStrategicMergePatch(original, patch, podSpec);
        const again = threeWayStrategicMergePatch({ original: modified, modified, current: result }, podSpec);
        expect(again).toEqual({});
      }),
    );
  });

  it('keep what others added and delete what was dropped', () => {
    const original = { containers: [{ name: 'a' }, { name: 'b' }], nodeSelector: { disk: 'ssd' } };
    const modified = { containers: [{ name: 'a', image: '2' }] };
    const current = {
      containers: [{ name: 'a' }, { name: 'b' }, { name: 'injected' }],
      nodeSelector: { disk: 'ssd' },
      nodeName: 'n',
    };
    const patch = threeWayStrategicMergePatch({ original, modified, current }, podSpec);
    expect(patch).toEqual({
      nodeSelector: null,
      '$setElementOrder/containers': [{ name: 'a' }],
      containers: [
        { name: 'a', image: '2' },
        { name: 'b', $patch: 'delete' },
      ],
    });
    expect(applyStrategicMergePatch(current, patch, podSpec)).toEqual({
      containers: [{ name: 'a', image: '2' }, { name: 'injected' }],
      nodeName: 'n',
    });
  });

  it('retain only the wanted members where the schema asks for it', () => {
    const current = { strategy: { type: 'RollingUpdate', rollingUpdate: {} } };
    const modified = { strategy: { type: 'Recreate' } };
    expect(threeWayStrategicMergePatch({ original: {}, modified, current }, deploymentSpec)).toEqual({
      strategy: { $retainKeys: ['type'], type: 'Recreate' },
    });
  });

  it('as JSON merge patch', () => {
    expect(
      threeWayMergePatch({
        original: { spec: { a: 1, b: 2 } },
        modified: { spec: { a: 3 } },
        current: { spec: { a: 1, b: 2, c: 4 } },
      }),
    ).toEqual({ spec: { a: 3, b: null } });
  });
});
