import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configmaps, namespaces } from '../../api/core/v1.gen.ts';
import { startTestCluster, type TestCluster } from '../testing/test-cluster.ts';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster();
  const { client } = cluster;
  await client
    .for(namespaces)
    .create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'other' }, spec: {} });
  const maps: readonly (readonly [string, string, string])[] = [
    ['default', 'b', '1'],
    ['default', 'a', '2'],
    ['other', 'c', '0'],
  ];
  for (const [namespace, name, rank] of maps)
    await client.for(configmaps).create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace, labels: { rank } },
      data: { rank },
    });
});
afterAll(() => cluster.close());

/** Ages differ from run to run. */
async function run(command: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const outcome = await cluster.run(command);
  return { ...outcome, stdout: outcome.stdout.replaceAll(/\b\d+s\b/g, '0s') };
}

describe('kanoe get', () => {
  it.each([
    ['get cm', 'NAME   DATA   AGE\na      1      0s\nb      1      0s\n'],
    ['get configmaps b --no-headers', 'b     1     0s\n'],
    ['get cm/a cm/b', 'NAME   DATA   AGE\na      1      0s\nb      1      0s\n'],
    [
      'get ConfigMap -A -l rank',
      'NAMESPACE   NAME   DATA   AGE\ndefault     a      1      0s\ndefault     b      1      0s\nother       c      1      0s\n',
    ],
    ['get cm -n other --show-labels', 'NAME   DATA   AGE   LABELS\nc      1      0s    rank=0\n'],
    ['get cm -l rank=1 -L rank', 'NAME   DATA   AGE   RANK\nb      1      0s    1\n'],
    ['get cm --field-selector metadata.name=a -o name', 'configmap/a\n'],
    ['get cm --sort-by .data.rank -o name', 'configmap/b\nconfigmap/a\n'],
    ['get cm --sort-by {.data.rank}', 'NAME   DATA   AGE\nb      1      0s\na      1      0s\n'],
    ['get cm a -o jsonpath={.data.rank}', '2'],
    ['get cm -o jsonpath={.items[*].metadata.name}', 'a b'],
    [
      'get cm -o custom-columns=N:.metadata.name,R:.data.rank,X:.data.x',
      'N     R     X\na     2     <none>\nb     1     <none>\n',
    ],
  ])('%s', async (command, stdout) => {
    expect(await run(command)).toEqual({ code: 0, stdout, stderr: '' });
  });

  it('prints several types one after the other', async () => {
    const { stdout } = await run('get cm,ns -l rank=1,!x -n default');
    expect(stdout).toBe('NAME          DATA   AGE\nconfigmap/b   1      0s\n');
    expect((await run('get cm,ns')).stdout).toMatch(
      /configmap\/b .*\n\nNAME +STATUS +AGE\nnamespace\/default /,
    );
  });

  it('prints one object as it is, and several as a List', async () => {
    const one = JSON.parse((await run('get cm a -o json')).stdout) as { kind: string };
    const all = JSON.parse((await run('get cm -o json')).stdout) as { kind: string; items: object[] };
    expect([one.kind, all.kind, all.items.length]).toEqual(['ConfigMap', 'List', 2]);
    expect((await run('get cm a -o yaml')).stdout).toMatch(
      /^apiVersion: v1\ndata:\n {2}rank: "2"\nkind: ConfigMap\n/,
    );
  });

  it.each([
    ['get cm nothing', 1, /^Error from server \(NotFound\): configmaps "nothing" not found\n$/],
    ['get cm nothing --ignore-not-found', 0, /^$/],
    ['get nothing', 1, /^error: the server doesn't have a resource type "nothing"\n$/],
    ['get secrets', 0, /^No resources found in default namespace\.\n$/],
    ['get secrets -A', 0, /^No resources found\n$/],
    ['get cm a -A', 2, /^error: a resource cannot be retrieved by name across all namespaces\n$/],
    ['get cm -l a=(', 1, /^Error from server \(BadRequest\): unable to parse requirement/],
  ])('%s', async (command, code, stderr) => {
    const outcome = await run(command);
    expect(outcome.code).toBe(code);
    expect(outcome.stderr).toMatch(stderr);
  });

  it('goes on after an object that is not there', async () => {
    expect(await run('get cm a nothing b -o name')).toEqual({
      code: 1,
      stdout: 'configmap/a\nconfigmap/b\n',
      stderr: 'Error from server (NotFound): configmaps "nothing" not found\n',
    });
  });

  it('watches until it is interrupted', async () => {
    const stop = new AbortController();
    let seen = '';
    const watching = cluster.run('get cm -n other -w -o name', {
      signal: stop.signal,
      onOutput(text) {
        seen += text;
        if (seen.includes('new')) stop.abort();
        else void create();
      },
    });
    const create = (): Promise<unknown> =>
      cluster.client.for(configmaps).create({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'new', namespace: 'other' },
      });
    expect(await watching).toMatchObject({ code: 0, stdout: 'configmap/c\nconfigmap/new\n', stderr: '' });
  });
});
