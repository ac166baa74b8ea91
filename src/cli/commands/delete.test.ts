import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { configmaps } from '../../api/core/v1.gen.ts';
import { startTestCluster, type TestCluster } from '../testing/test-cluster.ts';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster();
});
afterAll(() => cluster.close());
beforeEach(async () => {
  await cluster.run('delete cm --all');
  for (const name of ['a', 'b', 'c']) await create(name);
});

async function create(name: string, finalizers: readonly string[] = []): Promise<void> {
  await cluster.client.for(configmaps).create({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'default', finalizers, labels: { name } },
  });
}

async function left(): Promise<string[]> {
  const { items } = await cluster.client.for(configmaps).list({ namespace: 'default' });
  return items.map(({ metadata }) => metadata.name);
}

const manifest = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n';

describe('kanoe delete', () => {
  it.each([
    ['delete cm a', ['a']],
    ['delete cm a c', ['a', 'c']],
    ['delete cm/b configmap/c', ['b', 'c']],
    ['delete cm -l name!=b', ['a', 'c']],
    ['delete cm --field-selector metadata.name=b', ['b']],
    ['delete cm --all', ['a', 'b', 'c']],
    ['delete -f -', ['a']],
    ['delete cm a --dry-run=server', []],
  ])('%s', async (command, gone) => {
    expect(await cluster.run(command, { stdin: manifest })).toMatchObject({ code: 0, stderr: '' });
    expect(await left()).toEqual(['a', 'b', 'c'].filter((name) => !gone.includes(name)));
  });

  it('says what it deleted, and what was not there', async () => {
    expect(await cluster.run('delete cm a nothing b')).toEqual({
      code: 1,
      stdout: 'configmap "a" deleted from default namespace\nconfigmap "b" deleted from default namespace\n',
      stderr: 'Error from server (NotFound): configmaps "nothing" not found\n',
    });
    expect(await cluster.run('delete cm nothing --ignore-not-found')).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
  });

  it('waits until the object is gone', async () => {
    await create('held', ['example.com/hold']);
    const waiting = cluster.run('delete cm held', {
      onOutput: () =>
        void cluster.client
          .for(configmaps)
          .patch(
            { namespace: 'default', name: 'held' },
            { metadata: { finalizers: null } },
            { type: 'application/merge-patch+json' },
          ),
    });
    expect(await waiting).toMatchObject({ code: 0 });
    expect(await left()).not.toContain('held');
  });

  it('gives up waiting when the time is over, and does not wait when told so', async () => {
    await create('stuck', ['example.com/hold']);
    expect(await cluster.run('delete cm stuck --timeout=150ms')).toMatchObject({
      code: 1,
      stderr: 'error: timed out waiting for the condition on configmap/stuck\n',
    });
    expect(await cluster.run('delete cm stuck --wait=false')).toMatchObject({ code: 0 });
    await cluster.client
      .for(configmaps)
      .patch(
        { namespace: 'default', name: 'stuck' },
        { metadata: { finalizers: null } },
        { type: 'application/merge-patch+json' },
      );
  });

  it.each([
    ['delete', 'you must provide one or more resources'],
    ['delete cm', 'no name was specified'],
    ['delete cm a --all', 'names cannot be given together'],
    ['delete cm a --grace-period=0', '--grace-period=0 needs --force'],
    ['delete cm a --now --grace-period=5', 'cannot be specified together'],
  ])('refuses %s', async (command, message) => {
    const outcome = await cluster.run(command);
    expect(outcome.code).toBe(2);
    expect(outcome.stderr).toContain(message);
    expect(await left()).toEqual(['a', 'b', 'c']);
  });
});

describe('kanoe wait', () => {
  it.each([
    ['wait --for=create cm/a', 0],
    ['wait --for=delete cm/nothing', 0],
    ['wait --for=jsonpath={.metadata.name}=a cm a', 0],
    ["wait --for=jsonpath='{.metadata.labels.name}'=a cm a".replaceAll("'", ''), 0],
    ['wait --for=jsonpath={.data.x} cm a --timeout=0', 1],
    ['wait --for=condition=Ready cm --all --timeout=0', 1],
    ['wait --for=delete cm a b --timeout=50ms', 1],
    ['wait --for=condition=Ready cm/nothing', 1],
    ['wait --for=nonsense cm a', 2],
    ['wait cm a', 2],
  ])('%s ends with %i', async (command, code) => {
    expect((await cluster.run(command)).code).toBe(code);
  });

  it('names everything that is late', async () => {
    expect((await cluster.run('wait --for=condition=Ready cm a b --timeout=0')).stderr).toBe(
      'error: timed out waiting for the condition on configmaps/a\ntimed out waiting for the condition on configmaps/b\n',
    );
  });
});
