import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Pod } from '../src/api/core/v1.gen.ts';
import { eventually } from './support/eventually.ts';
import { makeWorkplace } from './support/kanoe.ts';
import type { Workplace } from './support/kanoe.ts';
import type { Kubectl } from './support/kubectl.ts';
import { describeWith, imageArchive } from './support/needs.ts';
import { pod, shell } from './support/pods.ts';

describeWith({ root: true, kubectl: true, images: ['busybox'] }, 'static pods', () => {
  let cluster: Workplace;
  let kubectl: Kubectl;
  let manifests: string;
  let name: string;

  const manifest = (words: string): void =>
    writeFileSync(
      join(manifests, 'web.json'),
      JSON.stringify(pod('web', { containers: [shell(`echo ${words}; sleep 1000`)] })),
    );

  beforeAll(async () => {
    cluster = await makeWorkplace();
    manifests = join(cluster.directory, 'manifests');
    mkdirSync(manifests);
    manifest('one');
    name = `web-${cluster.name}`;
    const folder = `pod-manifest-path=${manifests}`;
    await cluster.up(['--load', imageArchive('busybox'), '--kubelet-arg', folder]);
    kubectl = cluster.kubectl();
  });
  afterAll(() => cluster?.stop());

  const shown = (): Promise<Pod> => kubectl.json<Pod>('get', 'pod', name);
  const runs = (): Promise<Pod> =>
    eventually(async () => {
      const found = await shown();
      expect(found.status?.phase).toBe('Running');
      expect(found.status?.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('True');
      return found;
    });

  it('run from a folder and are shown by the API', async () => {
    const { metadata } = await runs();
    expect(metadata.annotations).toMatchObject({ 'kubernetes.io/config.source': 'file' });
    expect(metadata.annotations?.['kubernetes.io/config.mirror']).toBe(
      metadata.annotations?.['kubernetes.io/config.hash'],
    );
    expect(metadata.ownerReferences).toMatchObject([{ kind: 'Node', name: cluster.name }]);
    await eventually(async () => expect(await kubectl('logs', name)).toBe('one\n'));
  });

  it('come back when somebody deletes them, and run on meanwhile', async () => {
    const before = await runs();
    await kubectl('delete', 'pod', name);
    await eventually(async () => expect((await shown()).metadata.uid).not.toBe(before.metadata.uid));
    const after = await runs();
    const [id] = [before, after].map(({ status }) => status?.containerStatuses?.[0]?.containerID);
    expect(id).toBeDefined();
    expect(after.status?.containerStatuses?.[0]?.containerID).toBe(id);
  });

  it('start anew when their manifest changes, and end with it', async () => {
    manifest('two');
    await eventually(async () => expect(await kubectl('logs', name)).toBe('two\n'));
    rmSync(join(manifests, 'web.json'));
    await eventually(async () => expect(await kubectl('get', 'pods', '-o', 'name')).toBe(''));
  });
});
