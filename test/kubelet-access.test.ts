import { request } from 'node:https';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Node } from '../src/api/core/v1.gen.ts';
import { eventually } from './support/eventually.ts';
import { startKanoe } from './support/kanoe.ts';
import type { Workplace } from './support/kanoe.ts';
import { kubectlsBetween } from './support/kubectl.ts';
import type { Kubectl } from './support/kubectl.ts';
import { describeWith } from './support/needs.ts';

interface Answer {
  readonly code: number;
  readonly text: string;
}

function ask(url: string, token?: string): Promise<Answer> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return new Promise((resolve, reject) => {
    const call = request(url, { headers, rejectUnauthorized: false }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () =>
        resolve({ code: response.statusCode ?? 0, text: Buffer.concat(parts).toString() }),
      );
    });
    call.on('error', reject).end();
  });
}

describeWith({ root: true, kubectl: true }, 'the endpoint of a kubelet', () => {
  let cluster: Workplace;
  let kubectl: Kubectl;
  let base: string;
  let token: string;

  beforeAll(async () => {
    cluster = await startKanoe();
    kubectl = cluster.kubectl(kubectlsBetween(27, 99).at(-1));
    const { status } = await kubectl.json<Node>('get', 'node', cluster.name);
    const address = status?.addresses?.find(({ type }) => type === 'InternalIP')?.address;
    base = `https://${address}:${status?.daemonEndpoints?.kubeletEndpoint?.Port}`;
    await kubectl('create', 'serviceaccount', 'scraper');
    await eventually(async () => {
      token = (await kubectl('create', 'token', 'scraper')).trim();
    });
    await kubectl('create', 'clusterrole', 'scraper', '--verb=get', '--resource=nodes/metrics,nodes/stats');
    await kubectl(
      'create',
      'clusterrolebinding',
      'scraper',
      '--clusterrole=scraper',
      '--serviceaccount=default:scraper',
    );
  });
  afterAll(() => cluster?.stop());

  it('answers nobody whom it does not know', async () => {
    for (const path of ['/metrics', '/pods', '/healthz', '/nothing'])
      expect(await ask(base + path)).toEqual({ code: 401, text: 'Unauthorized' });
    expect(await ask(`${base}/metrics`, 'nonsense')).toEqual({ code: 401, text: 'Unauthorized' });
  });

  it('lets a service account read what its roles allow, and nothing else', async () => {
    const pages = ['metrics', 'metrics/resource', 'metrics/cadvisor', 'metrics/probes', 'stats/summary'];
    for (const path of pages) expect((await ask(`${base}/${path}`, token)).code).toBe(200);
    expect(await ask(`${base}/pods`, token)).toEqual({
      code: 403,
      text: 'Forbidden (user=system:serviceaccount:default:scraper, verb=get, resource=nodes, subresource(s)=[pods proxy])',
    });
    expect((await ask(`${base}/containerLogs/default/x/y`, token)).code).toBe(403);
  });

  it('shows the administrator its pods and its configuration, through the API server', async () => {
    const raw = (path: string): Promise<string> =>
      kubectl('get', '--raw', `/api/v1/nodes/${cluster.name}/proxy/${path}`);
    expect(JSON.parse(await raw('configz'))).toMatchObject({ kubeletconfig: { maxPods: 110 } });
    expect(JSON.parse(await raw('runningpods/'))).toMatchObject({ kind: 'PodList' });
    expect(JSON.parse(await raw('pods'))).toMatchObject({ kind: 'PodList' });
    expect(await raw('healthz')).toBe('ok');
  });
});
