import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deployments } from '../../api/apps/v1.gen.ts';
import { configmaps } from '../../api/core/v1.gen.ts';
import { startTestCluster, type TestCluster } from '../testing/test-cluster.ts';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster();
});
afterAll(() => cluster.close());

const web = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: main
        image: nginx
        env:
        - {name: A, value: "1"}
        - {name: B, value: "2"}
`;

function configMap(name: string, further: string = ''): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n${further}`;
}

async function file(name: string, text: string): Promise<string> {
  await writeFile(join(cluster.directory, name), text);
  return name;
}

const apply = (text: string, flags: string = ''): ReturnType<TestCluster['run']> =>
  cluster.run(`apply -f -${flags}`, { stdin: text });

describe('kanoe apply', () => {
  it('creates, leaves alone, and changes what the manifest changed', async () => {
    const path = await file('web.yaml', web);
    expect(await cluster.run(`apply -f ${path}`)).toEqual({
      code: 0,
      stdout: 'deployment.apps/web created\n',
      stderr: '',
    });
    expect(await cluster.run(`apply -f ${path}`)).toMatchObject({
      stdout: 'deployment.apps/web unchanged\n',
    });
    await file('web.yaml', web.replace('replicas: 2', 'replicas: 3').replace(/ +- {name: A.*\n/, ''));
    expect(await cluster.run(`apply -f ${path}`)).toMatchObject({
      stdout: 'deployment.apps/web configured\n',
    });
    const live = await cluster.client.for(deployments).get({ namespace: 'default', name: 'web' });
    expect(live.spec?.replicas).toBe(3);
    expect(live.spec?.template.spec?.containers[0]?.env).toEqual([{ name: 'B', value: '2' }]);
  });

  it('keeps what others set, and removes only what it had set itself', async () => {
    const maps = cluster.client.for(configmaps);
    await apply(configMap('shared', 'data: {mine: "1", gone: "1"}\n'));
    await maps.patch(
      { namespace: 'default', name: 'shared' },
      { data: { theirs: '1' } },
      { type: 'application/merge-patch+json' },
    );
    await apply(configMap('shared', 'data: {mine: "2"}\n'));
    const { data } = await maps.get({ namespace: 'default', name: 'shared' });
    expect(data).toEqual({ mine: '2', theirs: '1' });
  });

  it("remembers what it applied in kubectl's annotation, in kubectl's form", async () => {
    await apply(configMap('noted', 'data: {b: "<2>", a: "1"}\n'));
    const { metadata } = await cluster.client.for(configmaps).get({ namespace: 'default', name: 'noted' });
    expect(metadata.annotations?.['kubectl.kubernetes.io/last-applied-configuration']).toBe(
      '{"apiVersion":"v1","data":{"a":"1","b":"\\u003c2\\u003e"},"kind":"ConfigMap","metadata":{"annotations":{},"name":"noted","namespace":"default"}}\n',
    );
  });

  it('makes namespaces before what lies in them', async () => {
    const text =
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: late}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: late}\n';
    expect(await apply(text)).toMatchObject({
      code: 0,
      stdout: 'namespace/late created\nconfigmap/a created\n',
    });
  });

  it('goes on after an object that is refused, and fails in the end', async () => {
    const outcome = await apply(`${configMap('Bad_Name')}---\n${configMap('good')}`);
    expect(outcome).toMatchObject({ code: 1, stdout: 'configmap/good created\n' });
    expect(outcome.stderr).toMatch(/^The ConfigMap "Bad_Name" is invalid: metadata.name: Invalid value: /);
  });

  it('sends nothing when a document has a mistake', async () => {
    const outcome = await apply(`${configMap('unsent')}---\n${configMap('b', 'dta: {}\n')}`);
    expect(outcome).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'error: -:8: ConfigMap "b": unknown field "dta"\nNothing was sent. --validate=warn or --validate=ignore sends it all the same.\n',
    });
    expect(await cluster.run('get cm unsent')).toMatchObject({ code: 1 });
  });

  it('sends nothing when a kind is unknown', async () => {
    const outcome = await apply(
      `${configMap('unsent')}---\napiVersion: example.com/v1\nkind: Foo\nmetadata: {name: a}\n`,
    );
    expect(outcome).toMatchObject({ code: 1, stdout: '' });
    expect(outcome.stderr).toBe('error: no matches for kind "Foo" in version "example.com/v1" (-:4)\n');
    expect(await cluster.run('get cm unsent')).toMatchObject({ code: 1 });
  });

  it('warns of unknown fields, or is silent, when asked', async () => {
    const text = configMap('lax', 'dta: {}\n');
    expect(await apply(text, ' --validate=warn')).toMatchObject({
      code: 0,
      stderr: 'Warning: -:4: ConfigMap "lax": unknown field "dta"\n',
    });
    expect(await apply(text, ' --validate=false')).toMatchObject({ code: 0, stderr: '' });
  });

  it.each([
    ['client', 'configmap/tried created (dry run)\n'],
    ['server', 'configmap/tried created (server dry run)\n'],
  ])('changes nothing with --dry-run=%s', async (where, stdout) => {
    expect(await apply(configMap('tried'), ` --dry-run=${where}`)).toMatchObject({ code: 0, stdout });
    expect(await cluster.run('get cm tried')).toMatchObject({ code: 1 });
  });

  it('wants to know what to apply', async () => {
    expect(await cluster.run('apply')).toMatchObject({ code: 2 });
    expect(await apply('')).toMatchObject({ code: 1, stderr: 'error: no objects passed to apply\n' });
  });
});
