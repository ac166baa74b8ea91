import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from './support/eventually.ts';
import { makeWorkplace, projectRoot } from './support/kanoe.ts';
import type { Workplace } from './support/kanoe.ts';
import { describeWith } from './support/needs.ts';
import { must } from './support/run.ts';

interface Entry {
  readonly text: string;
  readonly by: string;
}

describeWith({ root: true }, 'kanoe up -f examples/guestbook', () => {
  let cluster: Workplace;
  let output: string;

  beforeAll(async () => {
    cluster = await makeWorkplace();
    output = await cluster.up(['--wait', '-f', `${projectRoot}/examples/guestbook`]);
  });
  afterAll(() => cluster.stop());

  const entriesAt = async (url: string): Promise<readonly Entry[]> => {
    const answer = await fetch(`${url}/entries`);
    expect(answer.status).toBe(200);
    return (await answer.json()) as readonly Entry[];
  };

  it('says where the application is', () => {
    expect(output).toContain('guestbook/web: http://127.0.0.1:8080');
    expect(output).toContain('guestbook/web-node: http://127.0.0.1:30080');
  });

  it('serves the application on the load balancer and on the node port', async () => {
    const page = await fetch('http://127.0.0.1:8080/');
    expect(await page.text()).toContain('<h1>Guestbook</h1>');
    const text = 'written through the load balancer';
    const written = await fetch('http://127.0.0.1:8080/entries', { method: 'POST', body: text });
    expect(written.status).toBe(201);
    expect((await entriesAt('http://127.0.0.1:30080')).at(-1)?.text).toBe(text);
    await fetch('http://127.0.0.1:30080/entries', { method: 'POST', body: 'and through the node port' });
    expect((await entriesAt('http://127.0.0.1:8080')).map((entry) => entry.text)).toEqual([
      text,
      'and through the node port',
    ]);
  });

  it('refuses what the application refuses', async () => {
    const refused = await fetch('http://127.0.0.1:8080/entries', { method: 'POST', body: ' ' });
    expect(refused.status).toBe(400);
    expect(await refused.text()).toBe('an entry has 1 to 200 characters\n');
  });

  it('spreads requests over the pods of the middle tier', async () => {
    const post = (): Promise<Response> =>
      fetch('http://127.0.0.1:8080/entries', { method: 'POST', body: 'at once' });
    await Promise.all(Array.from({ length: 40 }, post));
    expect(new Set((await entriesAt('http://127.0.0.1:8080')).map(({ by }) => by)).size).toBe(2);
  });

  it('shows what runs without kubectl', async () => {
    const table = await cluster.mustKanoe(['get', 'pods', '-n', 'guestbook']);
    expect(table.match(/1\/1 +Running/g)).toHaveLength(5);
  });

  it('takes no connection to another machine', async () => {
    const { process: running } = cluster.record();
    expect(await must('ss', ['-Htnp', 'state', 'connected', 'not', 'dst', '127.0.0.0/8'])).not.toMatch(
      new RegExp(`pid=${running?.pid},.*eth0`),
    );
  });
});

describeWith({ root: true }, 'the times a start took', () => {
  let cluster: Workplace;
  beforeAll(async () => {
    cluster = await makeWorkplace();
  });
  afterAll(() => cluster.stop());

  it('agree with a stopwatch that ends at an authenticated LIST', async () => {
    const watch = performance.now();
    const up = cluster.up();
    const kubeconfig = await eventually(() => readFileSync(cluster.kubeconfig, 'utf8'));
    await eventually(() => list(kubeconfig));
    const outside = performance.now() - watch;
    await up;
    const { startup } = JSON.parse(await cluster.mustKanoe(['status', '-o', 'json'])) as {
      readonly startup: {
        readonly apiReadyMs: number;
        readonly nodeReadyMs: number;
        readonly dnsReadyMs: number;
      };
    };
    // The kubeconfig appears at about the moment that is reported, and is looked for every 50 ms, later on a busy machine.
    expect(startup.apiReadyMs).toBeLessThan(outside + 150);
    expect(startup.apiReadyMs).toBeGreaterThan(0.4 * outside);
    expect(startup.nodeReadyMs).toBeGreaterThanOrEqual(startup.apiReadyMs);
    expect(startup.dnsReadyMs).toBeGreaterThanOrEqual(startup.apiReadyMs);
  });
});

/** Lists namespaces as the administrator of a kubeconfig with everything inline. */
function list(kubeconfig: string): Promise<void> {
  const value = (key: string): string => new RegExp(`${key}: ?"?([^"\\s]+)`).exec(kubeconfig)?.[1] ?? '';
  const decoded = (key: string): Buffer => Buffer.from(value(key), 'base64');
  return new Promise((resolve, reject) => {
    const call = request(
      `${value('server')}/api/v1/namespaces`,
      {
        ca: decoded('certificate-authority-data'),
        cert: decoded('client-certificate-data'),
        key: decoded('client-key-data'),
        agent: false,
      },
      (answer) => {
        answer.resume();
        answer.on('end', () =>
          answer.statusCode === 200 ? resolve() : reject(new Error(`HTTP ${answer.statusCode}`)),
        );
      },
    );
    call.on('error', reject);
    call.end();
  });
}
