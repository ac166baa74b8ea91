import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deployments } from '../../api/apps/v1.gen.ts';
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

async function file(name: string, text: string): Promise<string> {
  await writeFile(join(cluster.directory, name), text);
  return name;
}

describe('kanoe apply', () => {
  it('creates, leaves unchanged, and changes', async () => {
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
});
