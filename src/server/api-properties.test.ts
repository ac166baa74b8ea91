import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configmaps, namespaces } from '../api/core/v1.gen.ts';
import { deployments } from '../api/apps/v1.gen.ts';
import type { KubeObject, Live, ResourceType } from '../machinery/object.ts';
import { StatusError } from '../machinery/status-error.ts';
import type { ApiRequest, PatchType, Transport } from '../machinery/transport.ts';
import type { ApiServer } from './api-server.ts';
import { createTestApiServer } from './test-api-server.ts';

let server: ApiServer;
let admin: Transport;
let made = 0;

beforeAll(async () => {
  server = await createTestApiServer();
  admin = server.transport({ name: 'admin', groups: ['system:masters'] });
});
afterAll(() => server.close());

function of(
  type: ResourceType<KubeObject>,
  rest: Partial<ApiRequest> & Pick<ApiRequest, 'verb'>,
): ApiRequest {
  const { group, version, resource } = type;
  return { group, version, resource, ...rest };
}

/** A namespace that no other run uses. */
async function newNamespace(): Promise<string> {
  const name = `n${(made += 1)}`;
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
  await admin.request(of(namespaces, { verb: 'create', body }));
  return name;
}

type Step = { readonly name: string; readonly act: 'write' | 'delete'; readonly value: string };

const step: fc.Arbitrary<Step> = fc.record({
  name: fc.constantFrom('a', 'b', 'c'),
  act: fc.constantFrom('write', 'write', 'delete'),
  value: fc.constantFrom('1', '2', '3'),
});

describe('a watch', () => {
  it('replayed up to any version gives what a list of that version gives', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        const namespace = await newNamespace();
        const start = (await admin.request(of(configmaps, { verb: 'list', namespace }))) as List;
        const revisions: string[] = [];
        for (const { name, act, value } of steps) {
          const revision = await (act === 'write' ? write(namespace, name, value) : remove(namespace, name));
          if (revision !== undefined) revisions.push(revision);
        }
        const lists = await Promise.all(
          revisions.map(async (resourceVersion) => {
            const params = { resourceVersion, resourceVersionMatch: 'Exact' };
            return (await admin.request(of(configmaps, { verb: 'list', namespace, params }))) as List;
          }),
        );
        const replayed = await replay(namespace, start.metadata.resourceVersion, revisions);
        expect(replayed).toEqual(
          lists.map(({ items }) => items.map(({ metadata }) => metadata.resourceVersion)),
        );
      }),
      { numRuns: 40 },
    );
  });
});

interface List {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly Live<KubeObject>[];
}

async function write(namespace: string, name: string, value: string): Promise<string> {
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { value } };
  const created = await attempt(of(configmaps, { verb: 'create', namespace, body }));
  const object = created ?? (await admin.request(of(configmaps, { verb: 'update', namespace, name, body })));
  return (object as Live<KubeObject>).metadata.resourceVersion;
}

/** The version of the deletion: the newest one, as nobody else writes. */
async function remove(namespace: string, name: string): Promise<string | undefined> {
  const answer = await attempt(of(configmaps, { verb: 'delete', namespace, name }));
  if (!answer) return undefined;
  const list = (await admin.request(of(configmaps, { verb: 'list', namespace }))) as List;
  return list.metadata.resourceVersion;
}

async function attempt(request: ApiRequest): Promise<unknown> {
  try {
    return await admin.request(request);
  } catch (error) {
    if (error instanceof StatusError) return undefined;
    throw error;
  }
}

/** What is there after each of the versions, by the events alone: the objects' versions in the order of their names. */
async function replay(namespace: string, from: string, revisions: readonly string[]): Promise<string[][]> {
  const state = new Map<string, string>();
  const states: string[][] = [];
  let left = new Set(revisions).size;
  const params = { resourceVersion: from };
  const seen = new Map<string, string[]>();
  if (left > 0) {
    for await (const { type, object } of admin.watch(of(configmaps, { verb: 'watch', namespace, params }))) {
      const { name = '', resourceVersion = '' } = object.metadata;
      if (type === 'DELETED') state.delete(name);
      else state.set(name, resourceVersion);
      const inOrder = [...state].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, version]) => version);
      seen.set(resourceVersion, inOrder);
      left -= 1;
      if (left === 0) break;
    }
  }
  for (const revision of revisions) states.push(seen.get(revision) ?? []);
  return states;
}

const path = fc.constantFrom(
  ['spec', 'replicas'],
  ['spec', 'template', 'spec', 'containers'],
  ['spec', 'template', 'spec', 'restartPolicy'],
  ['spec', 'selector', 'matchLabels', 'app'],
  ['metadata', 'labels'],
  ['metadata', 'finalizers'],
  ['spec', 'strategy'],
);

const value = fc.oneof(
  fc.constantFrom<unknown>(-1, 0, 3, null, 'x', 'Never', [], {}, { type: 'Recreate' }, { app: 'other' }, [
    'a/b',
    'a/b',
  ]),
  fc.constantFrom<unknown>(
    [{ name: 'main', image: 'b' }],
    [{ name: 'second', image: '' }],
    [{ name: 'main', $patch: 'delete' }],
  ),
);

const patchTypes: readonly PatchType[] = [
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/json-patch+json',
];

describe('a patch', () => {
  it('leaves an object that a PUT takes back as it is, or is refused and changes nothing', async () => {
    const namespace = await newNamespace();
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...patchTypes), path, value, async (patchType, steps, wanted) => {
        const name = `d${(made += 1)}`;
        const labels = { app: name };
        const template = { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'a' }] } };
        const spec = { selector: { matchLabels: labels }, template };
        const body = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name }, spec };
        const before = await admin.request(of(deployments, { verb: 'create', namespace, body }));
        const patch =
          patchType === 'application/json-patch+json'
            ? [{ op: 'add', path: `/${steps.join('/')}`, value: wanted }]
            : steps.reduceRight<unknown>((inner, key) => ({ [key]: inner }), wanted);
        const answer = await attempt(
          of(deployments, { verb: 'patch', namespace, name, patchType, body: patch }),
        );
        const after = await admin.request(of(deployments, { verb: 'get', namespace, name }));
        expect(after).toEqual(answer ?? before);
        expect(
          await admin.request(of(deployments, { verb: 'update', namespace, name, body: after })),
        ).toEqual(after);
      }),
      { numRuns: 150 },
    );
  });
});
